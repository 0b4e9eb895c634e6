package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.InputException;
import dev.sortie.parallel.mesh.Mesh;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A run whose ranks are lost and whose checkpoints are damaged ends with the undisturbed bits. */
@Tag("any-kernels")
class LostRanksContractTest {
  private static final int SEEDS = 8;
  private static final List<Mesh> LAYOUTS =
      List.of(mesh(1, 1), mesh(2, 1), mesh(1, 2), mesh(1, 3), mesh(2, 2));

  @TempDir static Path shared;
  @TempDir Path out;

  private static String undisturbed;

  @BeforeAll
  static void tuneUndisturbed() throws Exception {
    Path model = TinyModel.write(shared.resolve("model"), 4, 16, 290, 1);
    TinyTuning.writeExits(model, shared.resolve("exits"), false);
    undisturbed = tuning().run(shared.resolve("undisturbed"), Mesh.single()).sha256();
  }

  private static TinyTuning tuning() {
    return new TinyTuning(shared.resolve("model"), shared.resolve("exits"), Objective.CE, t -> {});
  }

  private static Mesh mesh(int dp, int pp) {
    return new Mesh(1, 1, dp, pp);
  }

  /** What may have happened to the newest checkpoint. */
  private enum Damage {
    NONE {
      @Override
      void to(Path checkpoint) {}
    },
    DESCRIPTION_GONE {
      @Override
      void to(Path checkpoint) throws IOException {
        Files.delete(checkpoint.resolve("state.json"));
      }
    },
    DESCRIPTION_CUT {
      @Override
      void to(Path checkpoint) throws IOException {
        cut(checkpoint.resolve("state.json"));
      }
    },
    SHARD_GONE {
      @Override
      void to(Path checkpoint) throws IOException {
        Files.delete(shard(checkpoint));
      }
    },
    SHARD_CUT {
      @Override
      void to(Path checkpoint) throws IOException {
        cut(shard(checkpoint));
      }
    },
    BIT_FLIPPED {
      @Override
      void to(Path checkpoint) throws IOException {
        byte[] bytes = Files.readAllBytes(shard(checkpoint));
        bytes[bytes.length * 2 / 3] ^= 16;
        Files.write(shard(checkpoint), bytes);
      }
    };

    abstract void to(Path checkpoint) throws IOException;

    private static Path shard(Path checkpoint) throws IOException {
      try (Stream<Path> files = Files.list(checkpoint)) {
        return files
            .filter(f -> f.toString().endsWith(".safetensors"))
            .max(Comparator.naturalOrder())
            .orElseThrow();
      }
    }

    private static void cut(Path file) throws IOException {
      byte[] bytes = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(bytes, bytes.length / 2));
    }
  }

  static Stream<Integer> seeds() {
    return Stream.iterate(0, s -> s < SEEDS, s -> s + 1);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void lostRanksAndDamagedCheckpointsCostNoBits(int seed) throws Exception {
    Random random = new Random(seed);
    for (int loss = 0; loss < 2; loss++) {
      Mesh layout = LAYOUTS.get(random.nextInt(LAYOUTS.size()));
      int victim = random.nextInt(layout.world());
      int step = 2 * loss + 2 + random.nextInt(2);
      TinyTuning.Hook kill =
          (team, done) -> {
            if (team.rank().value() == victim && done == step) {
              throw new IllegalStateException("killed");
            }
          };
      assertThatThrownBy(() -> tuning().run(out, layout, TinyTuning.STEPS, kill))
          .hasMessageContaining("killed");
      Damage damage = Damage.values()[random.nextInt(Damage.values().length)];
      List<Path> checkpoints = checkpoints();
      if (!checkpoints.isEmpty()) {
        damage.to(checkpoints.getLast());
      }
    }
    Mesh last = LAYOUTS.get(random.nextInt(LAYOUTS.size()));
    assertThat(tuning().run(out, last).sha256()).isEqualTo(undisturbed);
  }

  private List<Path> checkpoints() throws IOException {
    Path folder = out.resolve("checkpoints");
    if (Files.notExists(folder)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(c -> Files.exists(c.resolve("state.json"))).sorted().toList();
    }
  }

  /** Each rank in turn, at each moment of a checkpoint that it comes to. */
  @ParameterizedTest
  @EnumSource(SaveMoment.class)
  void aRankThatIsLostAtAnyMomentOfACheckpointCostsNoBits(SaveMoment moment) throws Exception {
    Mesh layout = new Mesh(1, 1, 2, 2);
    int losses = 0;
    for (int victim = 0; victim < layout.world(); victim++) {
      Path folder = out.resolve("lost " + victim);
      int lost = victim;
      boolean[] there = new boolean[1];
      TinyTuning.Hook kill =
          new TinyTuning.Hook() {
            @Override
            public void after(Team team, int step) {}

            @Override
            public void saving(Team team, int step, SaveMoment now) {
              if (team.rank().value() == lost && step == 4 && now == moment) {
                there[0] = true;
                throw new IllegalStateException("killed");
              }
            }
          };
      try {
        tuning().run(folder, layout, TinyTuning.STEPS, kill);
        assertThat(there[0]).isFalse();
      } catch (IllegalStateException e) {
        assertThat(e).hasMessageContaining("killed");
        losses++;
      }
      assertThat(tuning().run(folder, LAYOUTS.get(victim)).sha256()).isEqualTo(undisturbed);
    }
    assertThat(losses).isPositive();
  }

  /** On a small file system, most of which something else takes at first. */
  @Test
  void aFullDiskIsSaidAndLeavesNothingHalfWrittenAndTheRunGoesOnWhenThereIsSpace()
      throws Exception {
    Path disk = Files.createDirectory(out.resolve("disk"));
    assumeTrue(
        mounted("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk.toString()),
        "this system lets tests mount no small file system");
    try {
      Path state = shared.resolve("undisturbed/checkpoints/step-000006/state.safetensors");
      long left = Files.getFileStore(disk).getUsableSpace() - Files.size(state) / 4;
      Path filler = Files.write(disk.resolve("filler"), new byte[(int) left]);
      Path run = disk.resolve("run");
      assertThatThrownBy(() -> tuning().run(run, mesh(1, 2)))
          .isInstanceOf(InputException.class)
          .hasMessageContaining(".safetensors: cannot be written")
          .hasMessageContaining("No space left on device")
          .hasMessageContaining("check free space");
      try (Stream<Path> files = Files.walk(run)) {
        assertThat(files.map(f -> f.getFileName().toString()))
            .noneMatch(name -> name.endsWith(".tmp") || name.equals("exits.json"));
      }
      Files.delete(filler);
      assertThat(tuning().run(run, mesh(2, 1)).sha256()).isEqualTo(undisturbed);
    } finally {
      assertThat(mounted("umount", disk.toString())).isTrue();
    }
  }

  private static boolean mounted(String... command) throws InterruptedException {
    try {
      return new ProcessBuilder(command).redirectErrorStream(true).start().waitFor() == 0;
    } catch (IOException e) {
      return false; // there is no such program
    }
  }

  @Test
  void whatAKillLeftOfAFileIsRemovedByTheNextRunBeforeItsFirstStep() throws Exception {
    tuning().run(out, mesh(1, 1), 3);
    Path left = out.resolve("checkpoints/step-000003/.state.safetensors.left.tmp");
    Files.writeString(left, "half of it");
    new Reshard(out, note -> {}).check();
    assertThat(left).exists(); // whoever only reads may do so while the run goes on
    TinyTuning.Hook gone = (team, step) -> assertThat(left).doesNotExist();
    assertThat(tuning().run(out, mesh(1, 2), TinyTuning.STEPS, gone).sha256())
        .isEqualTo(undisturbed);
  }

  @Test
  void aRankThatCannotWriteItsShardEndsAllWithItsReasonAndTheRunGoesOnLater() throws Exception {
    Path inTheWay = out.resolve("checkpoints/step-000004/state-00002-of-00004.safetensors");
    Files.createDirectories(inTheWay);
    assertThatThrownBy(() -> tuning().run(out, mesh(2, 2)))
        .hasMessageContaining("state-00002-of-00004.safetensors")
        .hasMessageContaining("it is a folder");
    assertThat(inTheWay.resolveSibling("state.json")).doesNotExist();
    Files.delete(inTheWay);
    assertThat(tuning().run(out, mesh(2, 1)).sha256()).isEqualTo(undisturbed);
  }

  @Test
  void ranksThatWereStartedWithOtherOptionsAreRefusedByName() {
    TinyTuning other =
        new TinyTuning(shared.resolve("model"), shared.resolve("exits"), Objective.KL, t -> {});
    assertThatThrownBy(() -> tuning().runBeside(other, out))
        .hasMessageContaining("rank 1 has objective kl, rank 0 another");
  }
}
