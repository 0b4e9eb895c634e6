package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.host.OutputFolder;
import dev.sortie.eetuning.train.checkpoint.Reshard;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.tensor.device.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A checkpoint that is written for another layout has the same elements, and a run resumes. */
@Tag("any-kernels")
class ReshardContractTest {
  private static final int STOP = 4;
  private static final Mesh TWO = new Mesh(2, 1, 1);

  @TempDir static Path shared;
  @TempDir Path out;

  private static final Map<TinyKind, TinyTraining.Result> STRAIGHT = new EnumMap<>(TinyKind.class);

  @BeforeAll
  static void trainOnTwoRanks() throws Exception {
    TinyKind.prepare(shared);
    for (TinyKind kind : List.of(TinyKind.TUNE, TinyKind.PRETRAIN)) {
      TinyTraining training = kind.training(shared);
      STRAIGHT.put(kind, training.run(shared.resolve("straight " + kind), TWO));
      assertThat(training.run(stopped(kind), TWO, STOP).outcome().finished()).isFalse();
    }
  }

  private static Path stopped(TinyKind kind) {
    return shared.resolve("stopped " + kind);
  }

  private static TinyTraining tuning() {
    return TinyKind.TUNE.training(shared);
  }

  private static Reshard of(Path run, List<String> notes) {
    return new Reshard(run, notes::add);
  }

  private static Reshard.Checked write(Path run, Mesh mesh, Path to) {
    try (Device device = Device.cpu(1)) {
      return of(run, new ArrayList<>()).write(mesh, false, to, device.kernels());
    }
  }

  /** Through files cut in quite another way, and back. */
  @ParameterizedTest
  @EnumSource(names = {"TUNE", "PRETRAIN"})
  void aRunContinuesWithTheBitsThatItWouldHaveHad(TinyKind kind) throws Exception {
    Path stopped = stopped(kind);
    Reshard.Checked before = of(stopped, new ArrayList<>()).check();
    Reshard.Checked wide = write(stopped, new Mesh(4, 1, 3), out.resolve("wide"));
    assertThat(wide.files()).hasSize(12);
    assertThat(wide.elements()).isEqualTo(before.elements()).isGreaterThan(10_000);
    assertThat(wide.tensors()).isEqualTo(before.tensors());
    assertThat(out.resolve("wide/checkpoints/latest")).hasContent("step-%06d".formatted(STOP));
    Reshard.Checked back = write(out.resolve("wide"), TWO, out.resolve("back"));
    assertThat(back.files()).hasSize(2);
    TinyTraining.Result resumed = kind.training(shared).run(out.resolve("back"), TWO);
    TinyTraining.Result straight = STRAIGHT.get(kind);
    assertThat(resumed.sha256()).isEqualTo(straight.sha256());
    assertThat(resumed.outcome().history().losses())
        .isEqualTo(straight.outcome().history().losses());
  }

  @ParameterizedTest
  @CsvSource({
    "TUNE, 1, 1, 1",
    "TUNE, 4, 1, 1",
    "TUNE, 1, 2, 2",
    "TUNE, 4, 1, 2",
    "PRETRAIN, 1, 2, 2",
    "PRETRAIN, 4, 1, 2"
  })
  void aRunContinuesWithAnotherNumberOfShares(TinyKind kind, int tp, int dp, int pp)
      throws Exception {
    Mesh mesh = new Mesh(tp, dp, pp);
    write(stopped(kind), mesh, out);
    var losses = kind.training(shared).run(out, mesh).outcome().history().losses();
    STRAIGHT
        .get(kind)
        .outcome()
        .history()
        .losses()
        .forEach(
            (exit, expected) -> {
              assertThat(losses.get(exit).subList(0, STOP)).isEqualTo(expected.subList(0, STOP));
              for (int i = STOP; i < TinyTraining.STEPS; i++) {
                assertThat(losses.get(exit).get(i))
                    .isCloseTo(expected.get(i), within(1e-5 * expected.get(i)));
              }
            });
  }

  @Test
  void aDamagedCheckpointIsNamedAndTheOneBeforeIsTaken() throws Exception {
    Path run = out.resolve("run");
    tuning().run(run, TWO, 3); // saves after steps 2 and 3
    Path shard = run.resolve("checkpoints/step-000003/state-00002-of-00002.safetensors");
    byte[] bytes = Files.readAllBytes(shard);
    bytes[bytes.length / 2] ^= 1;
    Files.write(shard, bytes);
    List<String> notes = new ArrayList<>();
    assertThat(of(run, notes).check().step()).isEqualTo(2);
    assertThat(notes)
        .singleElement()
        .asString()
        .contains("step-000003", "left aside", shard.getFileName() + " has SHA-256");
    Files.delete(run.resolve("checkpoints/step-000002/state.json"));
    assertThatThrownBy(() -> of(run, notes).check())
        .isInstanceOf(InputException.class)
        .hasMessageContaining("has no whole checkpoint");
  }

  @Test
  void whatAnEarlierOneHasLeftIsNotInTheWay() throws Exception {
    Path checkpoint = out.resolve("checkpoints/step-%06d".formatted(STOP));
    Path left = Files.createDirectories(AtomicFiles.temporary(checkpoint));
    Files.write(left.resolve("state-00001-of-00002.safetensors"), new byte[9]);
    assertThat(write(stopped(TinyKind.TUNE), TWO, out).step()).isEqualTo(STOP);
    assertThat(left).doesNotExist();
    assertThat(of(out, new ArrayList<>()).check().step()).isEqualTo(STOP);
    assertThat(out).isDirectoryNotContaining("glob:**.lock");
  }

  @Test
  void aFolderInWhichAnotherProcessWritesIsLeftAlone() {
    try (OutputFolder other = new OutputFolder(out)) {
      other.open();
      assertThatThrownBy(() -> write(stopped(TinyKind.TUNE), TWO, out))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("writes here");
    }
  }

  @Test
  void aFolderWithCheckpointsIsNotWrittenOver() {
    assertThatThrownBy(() -> write(stopped(TinyKind.TUNE), TWO, stopped(TinyKind.PRETRAIN)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is there already; give another --out");
  }
}
