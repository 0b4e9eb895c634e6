package dev.sortie.parallel.shard;

import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.launch.ThreadRanks;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/** Ranks as threads of this JVM, each with kernels and memory of its own. */
final class RankJob {
  private static final CommOptions OPTIONS =
      CommOptions.defaults().withDeadline(Duration.ofSeconds(30));

  /**
   * What a rank computes with.
   *
   * @param arena lives as long as the job
   */
  record Rank(ShardGroup group, Ops ops, NativeArena arena) {
    int position() {
      return group.position();
    }
  }

  private RankJob() {}

  /** What {@code body} returns on each rank; fails with the first rank that fails. */
  static <T> List<T> run(int ranks, Function<Rank, T> body) {
    return ThreadRanks.run(
        ranks,
        OPTIONS,
        communicator -> {
          try (Device device = Device.cpu(1);
              Workspace workspace = new Workspace();
              NativeArena arena = new NativeArena("rank")) {
            ShardGroup group = new ShardGroup(communicator);
            return body.apply(new Rank(group, new Ops(device, workspace), arena));
          }
        });
  }
}
