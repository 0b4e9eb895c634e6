package dev.sortie.eetuning.cli;

import dev.sortie.nn.InputException;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.launch.Ranks;
import dev.sortie.parallel.shard.ShardGroup;
import dev.sortie.parallel.shard.ShareBuilder;
import java.util.Map;
import java.util.Optional;

/**
 * The ranks that share the weights of one model, this process among them; rank 0 speaks for all.
 *
 * @param links how they are joined; empty where one process does everything
 */
record TensorRanks(Optional<Links> links) implements AutoCloseable {

  /** What more than one rank need. */
  record Links(Transport transport, Communicator communicator) {}

  /**
   * Joins the job that the environment describes.
   *
   * @param tp number of ranks
   * @throws InputException if the job has another number of ranks
   */
  static TensorRanks join(int tp, Map<String, String> environment) {
    if (tp < 1) {
      throw new InputException("--tp " + tp + " must be at least 1");
    }
    if (tp == 1) {
      return new TensorRanks(Optional.empty());
    }
    Transport transport = Ranks.join(environment);
    try {
      if (transport.world() != tp) {
        throw new InputException(
            "--tp %d needs %d ranks, this job has %d; start as many with launch --nproc %d, or give another --tp"
                .formatted(tp, tp, transport.world(), tp));
      }
      Communicator all = Communicator.over(transport, CommOptions.defaults());
      return new TensorRanks(Optional.of(new Links(transport, all)));
    } catch (RuntimeException | Error e) {
      transport.close();
      throw e;
    }
  }

  /** Whether this rank prints. */
  boolean leads() {
    return links.map(l -> l.communicator.position() == 0).orElse(true);
  }

  /** Makes this rank's share of a decoder. */
  DecoderBuilder builder() {
    return links
        .<DecoderBuilder>map(l -> new ShareBuilder(new ShardGroup(l.communicator), false))
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
