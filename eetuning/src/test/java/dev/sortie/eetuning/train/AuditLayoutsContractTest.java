package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.train.audit.AuditRecorder;
import dev.sortie.eetuning.train.audit.AuditReplay;
import dev.sortie.eetuning.train.audit.AuditReplay.Verdict;
import dev.sortie.eetuning.train.audit.StepWitness;
import dev.sortie.eetuning.train.loop.StepRecorder;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.parallel.mesh.Mesh;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Layouts that end with the same bits write the same record, and each replays that of another. */
@Tag("slow")
class AuditLayoutsContractTest {
  @TempDir static Path shared;
  @TempDir Path out;

  @BeforeAll
  static void prepare() throws IOException {
    TinyKind.prepare(shared);
  }

  /** Records the steps of a run. */
  private record Recording(Path file, Queue<AuditRecorder> open) implements TinyTraining.Hook {
    Recording(Path file) {
      this(file, new ConcurrentLinkedQueue<>());
    }

    @Override
    public void after(ProcessGroups groups, int step) {}

    @Override
    public StepRecorder recorder(StepWitness witness) {
      AuditRecorder recorder =
          new AuditRecorder(file, "tiny", Map.of("--steps", List.of("6")), witness);
      open.add(recorder);
      return recorder;
    }

    void close() {
      open.forEach(AuditRecorder::close);
    }
  }

  private Path record(TinyTraining training, Path run, Mesh mesh, int stopAt) throws Exception {
    Recording recording = new Recording(Path.of(run + ".audit"));
    training.run(run, mesh, stopAt, recording);
    recording.close();
    return recording.file();
  }

  private static Verdict verify(
      TinyTraining training, Path record, Mesh mesh, int from, Optional<Path> run)
      throws Exception {
    return verify(training, AuditReplay.read(record, run), mesh, from);
  }

  private static Verdict verify(TinyTraining training, AuditReplay replay, Mesh mesh, int from)
      throws Exception {
    List<Verdict> verdicts =
        TinyRanks.run(
            mesh,
            TinyRanks.Joining.THREADS,
            groups -> {
              try (groups) {
                return training.onJob(
                    groups,
                    witness ->
                        replay.run(
                            from,
                            replay.steps(),
                            witness,
                            new AuditReplay.Listener() {},
                            () -> false));
              }
            });
    assertThat(verdicts).as("of all ranks").containsOnly(verdicts.getFirst());
    return verdicts.getFirst();
  }

  @ParameterizedTest
  @EnumSource(
      value = TinyKind.class,
      names = {"TUNE", "TUNE_SHARES", "PRETRAIN", "PRETRAIN_SHARES"})
  void everyLayoutWritesTheRecordOfOneRankAndReplaysIt(TinyKind kind) throws Exception {
    TinyTraining training = kind.training(shared);
    Mesh simplest = kind.layouts().getFirst();
    Path alone = record(training, out.resolve("alone"), simplest, TinyTraining.STEPS);
    assertThat(alone).content().hasLineCount(1 + TinyTraining.STEPS);
    for (Mesh mesh : kind.layouts().subList(1, kind.layouts().size())) {
      Path run = out.resolve("of " + mesh);
      Path other = record(training, run, mesh, TinyTraining.STEPS);
      assertThat(other).as("%s", mesh).hasSameBinaryContentAs(alone);
      assertThat(verify(training, alone, mesh, 1, Optional.empty()))
          .isEqualTo(new Verdict(0, TinyTraining.STEPS, Optional.empty()));
      // the checkpoints of these ranks, replayed by the simplest layout
      assertThat(verify(training, other, simplest, 1, Optional.of(run)))
          .isEqualTo(new Verdict(0, TinyTraining.STEPS, Optional.empty()));
      assertThat(verify(training, other, simplest, TinyTraining.STEPS, Optional.of(run)).after())
          .isEqualTo(4);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = TinyKind.class,
      names = {"TUNE", "PRETRAIN"})
  void aRunThatResumesUnderAnotherLayoutWritesTheRecordOfOneRun(TinyKind kind) throws Exception {
    TinyTraining training = kind.training(shared);
    Path whole = record(training, out.resolve("whole"), Mesh.single(), TinyTraining.STEPS);
    Path run = out.resolve("parts");
    record(training, run, new Mesh(1, 2, 1), 3);
    Path parts = record(training, run, new Mesh(1, 1, 2), TinyTraining.STEPS);
    assertThat(parts).hasSameBinaryContentAs(whole);
  }

  /** It has more lines then, and its last checkpoints only. */
  @ParameterizedTest
  @EnumSource(
      value = TinyKind.class,
      names = {"TUNE", "PRETRAIN"})
  void aRunThatStillTrainsIsAccepted(TinyKind kind) throws Exception {
    TinyTraining training = kind.training(shared);
    Path run = out.resolve("run");
    Path record = record(training, run, Mesh.single(), 3);
    AuditReplay early = AuditReplay.read(record, Optional.of(run));
    assertThat(verify(training, early, Mesh.single(), 3))
        .isEqualTo(new Verdict(2, 3, Optional.empty()));
    record(training, run, Mesh.single(), TinyTraining.STEPS);
    assertThat(run.resolve("checkpoints/step-000002")).doesNotExist();
    assertThat(run.resolve("checkpoints/step-000003")).doesNotExist();
    for (Mesh mesh : List.of(Mesh.single(), new Mesh(1, 2, 1))) {
      for (int from : List.of(1, 3)) {
        assertThat(verify(training, early, mesh, from))
            .as("%s from step %d", mesh, from)
            .isEqualTo(new Verdict(0, 3, Optional.empty()));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = TinyKind.class,
      names = {"TUNE", "PRETRAIN"})
  void theStepOfAnotherLossIsNamed(TinyKind kind) throws Exception {
    TinyTraining training = kind.training(shared);
    Path honest = record(training, out.resolve("run"), Mesh.single(), TinyTraining.STEPS);
    Path forged = AuditForgery.forge(honest, out, 3, "losses");
    for (Mesh mesh : List.of(Mesh.single(), new Mesh(1, 2, 1), new Mesh(1, 1, 2))) {
      Verdict verdict = verify(training, forged, mesh, 1, Optional.empty());
      assertThat(verdict.agreed()).isEqualTo(2);
      assertThat(verdict.differs()).get().extracting(Verdict.Differs::step).isEqualTo(3);
      assertThat(verdict.differs().get().what()).startsWith("loss of ");
    }
  }
}
