package dev.sortie.eetuning.decode.pipeline;

import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.group.GroupCommunicator;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.launch.Ranks;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.shard.ShardBuilder;
import dev.sortie.parallel.shard.ShardGroup;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * The ranks that decode together, this process among them; rank 0 speaks for all.
 *
 * @param mesh of ranks that share weights, and stages
 * @param links how they are joined; empty where one process does everything
 */
public record DecodingRanks(Mesh mesh, Optional<Links> links) implements AutoCloseable {
  /**
   * Longest wait for another rank: a stage waits for as long as those before it read a prompt. A
   * rank that is dead or stopped is noticed within seconds whatever this is.
   */
  private static final Duration DEADLINE = Duration.ofHours(12);

  /** What more than one rank need. */
  record Links(Transport transport, Communicator communicator) {}

  /**
   * Refuses sizes that no job has.
   *
   * @param tp number of ranks that share the weights of a stage
   * @param pp number of stages
   */
  public static void check(int tp, int pp) {
    if (tp < 1 || pp < 1) {
      throw new UsageException(
          "--%s %d must be at least 1".formatted(tp < 1 ? "tp" : "pp", Math.min(tp, pp)));
    }
    if (tp > 1 << 10 || pp > 1 << 10) {
      throw new UsageException(
          "--%s %d must be at most 1024".formatted(tp > pp ? "tp" : "pp", Math.max(tp, pp)));
    }
  }

  /**
   * Joins the job that the environment describes.
   *
   * @param tp number of ranks that share the weights of a stage
   * @param pp number of stages
   * @throws InputException if the job has another number of ranks
   */
  public static DecodingRanks join(int tp, int pp, Map<String, String> environment) {
    check(tp, pp);
    Mesh mesh = new Mesh(tp, 1, pp);
    if (mesh.world() == 1) {
      return new DecodingRanks(mesh, Optional.empty());
    }
    Transport transport = Ranks.join(environment);
    try {
      int ranks = mesh.world();
      if (transport.world() != ranks) {
        String words =
            pp == 1 ? "--tp " + tp : tp == 1 ? "--pp " + pp : "--tp " + tp + " --pp " + pp;
        throw new InputException(
            "%s needs %d ranks, this job has %d; start as many with launch --nproc %d, or change %s"
                .formatted(words, ranks, transport.world(), ranks, pp == 1 ? "--tp" : words));
      }
      Communicator all =
          GroupCommunicator.over(transport, CommOptions.defaults().withDeadline(DEADLINE));
      return new DecodingRanks(mesh, Optional.of(new Links(transport, all)));
    } catch (RuntimeException | Error e) {
      transport.close();
      throw e;
    }
  }

  /** Whether this rank prints. */
  public boolean leads() {
    return links.map(l -> l.communicator.position() == 0).orElse(true);
  }

  /** The communicator of all ranks, where there are several. */
  public Communicator all() {
    return links.orElseThrow().communicator;
  }

  /** Ends the work of all ranks, which get the reason. */
  public void abort(String reason) {
    links.ifPresent(l -> l.communicator.abort(reason));
  }

  /** Ranks that share this machine's cores with this one, itself included. */
  public int neighbours() {
    return links.map(l -> l.transport.neighbours()).orElse(1);
  }

  /** Makes this rank's share of a decoder that all ranks share. */
  public DecoderBuilder builder() {
    return links
        .<DecoderBuilder>map(l -> new ShardBuilder(new ShardGroup(l.communicator), false))
        .orElse(DecoderBuilder.WHOLE);
  }

  @Override
  public void close() {
    links.ifPresent(
        l -> {
          l.communicator.close();
          l.transport.close();
        });
  }
}
