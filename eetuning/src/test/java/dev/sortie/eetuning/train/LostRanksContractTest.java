package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.eetuning.host.Folders;
import dev.sortie.eetuning.train.checkpoint.CheckpointListener;
import dev.sortie.eetuning.train.checkpoint.Reshard;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.InputException;
import dev.sortie.parallel.mesh.Mesh;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A run whose ranks are lost and whose checkpoints are damaged ends with the undisturbed bits.
 * {@code -Dsortie.faults=20} for more seeds than a build takes.
 */
@Tag("any-kernels")
@Tag("slow")
class LostRanksContractTest {
  private static final int SEEDS = Integer.getInteger("sortie.faults", 6);

  @TempDir static Path shared;
  @TempDir Path out;

  private static final Map<TinyKind, String> UNDISTURBED = new ConcurrentHashMap<>();

  @BeforeAll
  static void makeModel() {
    TinyKind.prepare(shared);
  }

  private static String undisturbed(TinyKind kind) throws Exception {
    if (!UNDISTURBED.containsKey(kind)) {
      UNDISTURBED.put(kind, kind.undisturbed(shared));
    }
    return UNDISTURBED.get(kind);
  }

  private static TinyTraining tuning() {
    return TinyKind.TUNE.training(shared);
  }

  private static Mesh mesh(int dp, int pp) {
    return new Mesh(1, dp, pp);
  }

  /** A layout of those with the same bits. */
  private static Mesh some(TinyKind kind, Random random) {
    return kind.layouts().get(random.nextInt(kind.layouts().size()));
  }

  /** What may have happened to the newest checkpoint. */
  private enum Damage {
    NONE {
      @Override
      void to(Path checkpoint, Random random) {}
    },
    DESCRIPTION_GONE {
      @Override
      void to(Path checkpoint, Random random) throws IOException {
        Files.delete(checkpoint.resolve("state.json"));
      }
    },
    DESCRIPTION_CUT {
      @Override
      void to(Path checkpoint, Random random) throws IOException {
        cut(checkpoint.resolve("state.json"), random);
      }
    },
    SHARD_GONE {
      @Override
      void to(Path checkpoint, Random random) throws IOException {
        Files.delete(shard(checkpoint, random));
      }
    },
    SHARD_CUT {
      @Override
      void to(Path checkpoint, Random random) throws IOException {
        cut(shard(checkpoint, random), random);
      }
    },
    BIT_FLIPPED {
      @Override
      void to(Path checkpoint, Random random) throws IOException {
        Path shard = shard(checkpoint, random);
        byte[] bytes = Files.readAllBytes(shard);
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        Files.write(shard, bytes);
      }
    };

    abstract void to(Path checkpoint, Random random) throws IOException;

    private static Path shard(Path checkpoint, Random random) throws IOException {
      try (Stream<Path> files = Files.list(checkpoint)) {
        List<Path> shards =
            files.filter(f -> f.toString().endsWith(".safetensors")).sorted().toList();
        return shards.get(random.nextInt(shards.size()));
      }
    }

    private static void cut(Path file, Random random) throws IOException {
      byte[] bytes = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(bytes, random.nextInt(bytes.length)));
    }
  }

  /** A run that is disturbed. */
  record Case(TinyKind kind, int seed) {}

  static Stream<Case> cases() {
    return Stream.of(TinyKind.values())
        .flatMap(kind -> IntStream.range(0, SEEDS).mapToObj(seed -> new Case(kind, seed)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void lostRanksAndDamagedCheckpointsCostNoBits(Case c) throws Exception {
    Random random = new Random(c.seed);
    TinyTraining training = c.kind.training(shared);
    for (int loss = 0; loss < 2; loss++) {
      Mesh layout = some(c.kind, random);
      int victim = random.nextInt(layout.world());
      int step = 2 * loss + 2 + random.nextInt(2);
      TinyTraining.Hook kill =
          (groups, done) -> {
            if (groups.rank().value() == victim && done == step) {
              throw new IllegalStateException("killed");
            }
          };
      assertThatThrownBy(() -> training.run(out, layout, TinyTraining.STEPS, kill))
          .hasMessageContaining("killed");
      Damage damage = Damage.values()[(c.seed + loss) % Damage.values().length];
      List<Path> checkpoints = checkpoints(out);
      if (!checkpoints.isEmpty()) {
        damage.to(checkpoints.getLast(), random);
      }
    }
    assertThat(training.run(out, some(c.kind, random)).sha256()).isEqualTo(undisturbed(c.kind));
  }

  private static List<Path> checkpoints(Path run) throws IOException {
    Path folder = run.resolve("checkpoints");
    if (Files.notExists(folder)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(c -> c.getFileName().toString().startsWith("step-")).sorted().toList();
    }
  }

  static Stream<Arguments> moments() {
    return Stream.of(TinyKind.TUNE, TinyKind.PRETRAIN_ASYNC)
        .flatMap(
            kind -> Stream.of(CheckpointListener.Moment.values()).map(m -> Arguments.of(kind, m)));
  }

  /** Each rank in turn, at each moment of a checkpoint that it comes to. */
  @ParameterizedTest
  @MethodSource("moments")
  void aRankThatIsLostAtAnyMomentOfACheckpointCostsNoBits(
      TinyKind kind, CheckpointListener.Moment moment) throws Exception {
    TinyTraining training = kind.training(shared);
    Mesh layout = mesh(2, 2);
    int losses = 0;
    for (int victim = 0; victim < layout.world(); victim++) {
      Path folder = out.resolve("lost " + victim);
      LostAt lost = new LostAt(victim, 4, moment);
      try {
        training.run(folder, layout, TinyTraining.STEPS, lost);
        assertThat(lost.there).isFalse();
      } catch (IllegalStateException e) {
        assertThat(e).hasMessageContaining("killed");
        losses++;
      }
      assertThat(training.run(folder, kind.layouts().get(victim)).sha256())
          .isEqualTo(undisturbed(kind));
    }
    assertThat(losses).isPositive();
  }

  /** A rank that is lost at a moment of a checkpoint, if it comes there. */
  private static final class LostAt implements TinyTraining.Hook {
    private final int victim;
    private final int step;
    private final CheckpointListener.Moment moment;
    private volatile boolean there;

    LostAt(int victim, int step, CheckpointListener.Moment moment) {
      this.victim = victim;
      this.step = step;
      this.moment = moment;
    }

    @Override
    public void after(ProcessGroups groups, int done) {}

    @Override
    public void saving(ProcessGroups groups, int done, CheckpointListener.Moment now) {
      if (groups.rank().value() == victim && done == step && now == moment) {
        there = true;
        throw new IllegalStateException("killed");
      }
    }
  }

  static Stream<Case> fullDisks() {
    int seeds = Integer.getInteger("sortie.faults", 0);
    if (seeds == 0) {
      return Stream.of(new Case(TinyKind.TUNE, 0), new Case(TinyKind.PRETRAIN_ASYNC, 1));
    }
    return cases();
  }

  /** On a small file system, most of which something else takes at first. */
  @ParameterizedTest
  @MethodSource("fullDisks")
  void aFullDiskIsSaidAndLeavesNothingHalfWrittenAndTheRunContinuesWhenThereIsSpace(Case c)
      throws Exception {
    Path disk = Files.createDirectory(out.resolve("disk"));
    assumeTrue(
        mounted("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk.toString()),
        "this system lets tests mount no small file system");
    try {
      Random random = new Random(c.seed);
      TinyTraining training = c.kind.training(shared);
      undisturbed(c.kind);
      // the third of three checkpoints is written while the two before are there
      double free = (0.1 + 2.4 * random.nextDouble()) * checkpointBytes(c.kind);
      long left = Files.getFileStore(disk).getUsableSpace() - (long) free;
      Path filler = Files.write(disk.resolve("filler"), new byte[(int) left]);
      Path run = disk.resolve("run");
      assertThatThrownBy(() -> training.run(run, some(c.kind, random)))
          .isInstanceOf(InputException.class)
          .hasMessageContaining(run.toString())
          .hasMessageContaining("No space left on device")
          .hasMessageContaining("check free space");
      try (Stream<Path> files = Files.walk(run)) {
        assertThat(files.filter(Files::isRegularFile).map(f -> f.getFileName().toString()))
            .noneMatch(name -> name.endsWith(".tmp") || name.equals("exits.json"));
      }
      assertThat(checkpoints(run)).allSatisfy(p -> assertThat(p.resolve("state.json")).exists());
      Files.delete(filler);
      assertThat(training.run(run, some(c.kind, random)).sha256()).isEqualTo(undisturbed(c.kind));
    } finally {
      assertThat(mounted("umount", disk.toString())).isTrue();
    }
  }

  private static long checkpointBytes(TinyKind kind) throws IOException {
    try (Stream<Path> files = Files.walk(kind.undisturbedFolder(shared).resolve("checkpoints"))) {
      return files
          .filter(f -> f.getParent().endsWith("step-000006"))
          .mapToLong(f -> f.toFile().length())
          .sum();
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
  void whatAKillLeftOfACheckpointIsRemovedByTheNextRunBeforeItsFirstStep() throws Exception {
    tuning().run(out, Mesh.single(), 3);
    Path folder = out.resolve("checkpoints");
    Path left = Files.createDirectory(folder.resolve(".step-000004.tmp"));
    Path latest = folder.resolve(".latest.%s.tmp".formatted(UUID.randomUUID()));
    List<Path> halves = List.of(left.resolve(".state.safetensors.left.tmp"), latest);
    for (Path half : halves) {
      Files.writeString(half, "half of it");
    }
    new Reshard(out, note -> {}).check();
    assertThat(left).exists(); // whoever only reads may do so while the run continues
    AtomicInteger seen = new AtomicInteger();
    TinyTraining.Hook gone =
        (groups, step) -> {
          if (step == 4 && halves.stream().noneMatch(Files::exists)) {
            seen.incrementAndGet();
          }
        };
    assertThat(tuning().run(out, mesh(1, 2), TinyTraining.STEPS, gone).sha256())
        .isEqualTo(undisturbed(TinyKind.TUNE));
    assertThat(seen).as("ranks whose first step found nothing of it").hasValue(2);
  }

  @Test
  void aRankThatCannotWriteItsShardEndsAllWithItsReasonAndTheRunContinuesLater() throws Exception {
    InTheWay inTheWay = new InTheWay();
    assertThatThrownBy(() -> tuning().run(out, mesh(2, 2), TinyTraining.STEPS, inTheWay))
        .hasMessageContaining("state-00002-of-00004.safetensors")
        .hasMessageContaining("it is a folder");
    assertThat(out.resolve("checkpoints/step-000004")).doesNotExist();
    assertThat(out.resolve("checkpoints/latest")).hasContent("step-000002");
    assertThat(tuning().run(out, mesh(2, 1)).sha256()).isEqualTo(undisturbed(TinyKind.TUNE));
  }

  /** A folder that has the name of the second rank's file. */
  private final class InTheWay implements TinyTraining.Hook {
    @Override
    public void after(ProcessGroups groups, int step) {}

    @Override
    public void saving(ProcessGroups groups, int step, CheckpointListener.Moment moment) {
      if (groups.rank().value() == 1
          && step == 4
          && moment == CheckpointListener.Moment.FOLDER_MADE) {
        Folders.create(
            out.resolve("checkpoints/.step-000004.tmp/state-00002-of-00004.safetensors"));
      }
    }
  }

  @Test
  void ranksThatWereStartedWithOtherOptionsAreRefusedByName() {
    TinyTraining other = TinyKind.TUNE_ASYNC.training(shared);
    assertThatThrownBy(() -> tuning().runAlongside(other, out))
        .hasMessageContaining("rank 1 has objective kl, rank 0 another");
  }
}
