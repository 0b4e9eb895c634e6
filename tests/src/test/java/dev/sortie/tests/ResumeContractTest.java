package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.train.tune.Objective;
import dev.sortie.eetuning.train.tune.TuneOptions;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Tuning gives the same bytes however often it is stopped, and on however many threads. */
@Tag("slow")
class ResumeContractTest {
  private static final String STATE = "state.safetensors";
  private static final String DESCRIPTION = "state.json";

  @TempDir static Path shared;
  @TempDir Path out;

  private static Tuning tuning;
  private static Tuning.Report reference;

  @BeforeAll
  static void runWithoutAStop() throws IOException {
    try (Bench bench = Bench.open(1)) {
      TinyModel.write(shared.resolve("model"), bench);
    }
    tuning = Tuning.of(shared.resolve("model"));
    reference = tuning.run(shared.resolve("reference"));
    assertThat(reference.resumedAt()).isEmpty();
    assertThat(reference.outcome().history().steps()).isEqualTo(Tuning.STEPS);
    // losses that move: a tuner that did nothing would pass all that follows
    reference
        .outcome()
        .history()
        .losses()
        .forEach(
            (exit, losses) -> assertThat(losses).as("losses of %s", exit).doesNotHaveDuplicates());
  }

  @Test
  void aStoppedRunContinuesToTheSameBytes() {
    Tuning.Report first = tuning.run(out, 10);
    assertThat(first.outcome().finished()).isFalse();
    assertThat(ExitsFile.exists(out)).isFalse();
    Tuning.Report second = tuning.run(out);
    assertThat(second.resumedAt()).containsExactly(10);
    checkAsReference(second);
  }

  /** A stop between two checkpoints saves one more. */
  @Test
  void aRunStoppedAtOddMomentsContinuesToTheSameBytes() {
    tuning.run(out, 3);
    assertThat(tuning.run(out, 7).resumedAt()).containsExactly(3);
    assertThat(tuning.run(out, 16).resumedAt()).containsExactly(7);
    Tuning.Report last = tuning.run(out);
    assertThat(last.resumedAt()).containsExactly(16);
    checkAsReference(last);
  }

  @Test
  void aFinishedRunIsNotDoneAgain() {
    tuning.run(out);
    Tuning.Report again = tuning.run(out);
    assertThat(again.resumedAt()).containsExactly(Tuning.STEPS);
    assertThat(again.outcome().tokensPerSecond()).isZero();
    checkAsReference(again);
  }

  /** What {@code kill -9}, or a disk without power, can leave of the newest checkpoint. */
  enum Damage {
    FOLDER_EMPTY,
    NO_DESCRIPTION,
    DESCRIPTION_EMPTY,
    DESCRIPTION_CUT,
    NO_TENSORS,
    TENSORS_EMPTY,
    TENSORS_CUT_IN_HEADER,
    TENSORS_CUT_BY_ONE_BYTE,
    TENSORS_OF_ANOTHER_STEP,
    TEMPORARY_FILES_LEFT_WITHOUT_THE_REST;

    void inflict(Path newest, Path earlier) throws IOException {
      Path state = newest.resolve(STATE);
      Path description = newest.resolve(DESCRIPTION);
      switch (this) {
        case FOLDER_EMPTY -> {
          Files.delete(state);
          Files.delete(description);
        }
        case NO_DESCRIPTION -> Files.delete(description);
        case DESCRIPTION_EMPTY -> cut(description, 0);
        case DESCRIPTION_CUT -> cut(description, Files.size(description) / 2);
        case NO_TENSORS -> Files.delete(state);
        case TENSORS_EMPTY -> cut(state, 0);
        case TENSORS_CUT_IN_HEADER -> cut(state, 100);
        case TENSORS_CUT_BY_ONE_BYTE -> cut(state, Files.size(state) - 1);
        case TENSORS_OF_ANOTHER_STEP -> {
          Files.delete(state);
          Files.copy(earlier.resolve(STATE), state);
        }
        case TEMPORARY_FILES_LEFT_WITHOUT_THE_REST -> {
          Files.move(state, newest.resolve("." + STATE + ".1234.tmp"));
          Files.move(description, newest.resolve("." + DESCRIPTION + ".1234.tmp"));
        }
      }
    }

    private static void cut(Path file, long size) throws IOException {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(size);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Damage.class)
  void aDamagedNewestCheckpointIsLeftAside(Damage damage) throws IOException {
    tuning.run(out, 10);
    damage.inflict(checkpoint(10), checkpoint(5));
    Tuning.Report resumed = tuning.run(out);
    assertThat(resumed.resumedAt()).containsExactly(5);
    checkAsReference(resumed);
    assertThat(checkpoint(Tuning.STEPS)).isDirectoryContaining("glob:**" + DESCRIPTION);
    assertThat(checkpoint(10)).as("an old checkpoint is deleted whole").doesNotExist();
  }

  @Test
  void withoutAWholeCheckpointARunBeginsAnew() throws IOException {
    tuning.run(out, 10);
    Files.delete(checkpoint(10).resolve(DESCRIPTION));
    Files.delete(checkpoint(5).resolve(STATE));
    assertThat(tuning.run(out, 3).resumedAt()).isEmpty();
    // the damaged ones have higher numbers; they may not push the new one out
    Tuning.Report again = tuning.run(out);
    assertThat(again.resumedAt()).containsExactly(3);
    checkAsReference(again);
  }

  /** An option that decides the result, what it was, and what it is changed to. */
  record Change(String field, String before, String after, Tuning tuning) {
    @Override
    public String toString() {
      return field;
    }
  }

  static Stream<Change> changes() {
    TuneOptions o = tuning.options();
    Schedule s = o.schedule();
    Schedule faster = new Schedule(2e-2, s.floor(), s.warmup(), s.steps(), s.decay());
    Schedule longer = new Schedule(s.peak(), s.floor(), s.warmup(), 40, s.decay());
    Schedule linear =
        new Schedule(s.peak(), s.floor(), s.warmup(), s.steps(), Schedule.Decay.LINEAR);
    AdamW.Options a = o.adamW();
    AdamW.Options decayed = new AdamW.Options(a.beta1(), a.beta2(), a.epsilon(), 0.3, a.clip());
    return Stream.of(
        change("lr", "0.01", "0.02", o.objective(), 2, 4, faster, a, 5),
        change("steps", "20", "40", o.objective(), 2, 4, longer, a, 5),
        change("decay", "cosine", "linear", o.objective(), 2, 4, linear, a, 5),
        change("objective", "ce", "kl", Objective.KL, 2, 4, s, a, 5),
        change("micro_batch", "2", "4", o.objective(), 4, 4, s, a, 5),
        change("global_batch", "4", "8", o.objective(), 2, 8, s, a, 5),
        change("weight_decay", "0.01", "0.3", o.objective(), 2, 4, s, decayed, 5),
        change("seed", "5", "6", o.objective(), 2, 4, s, a, 6),
        new Change("data", "", "", tuning.withDataSeed(2)),
        new Change(
            "exits",
            "[1 mlp, 3 layer]",
            "[1 mlp, 2 layer]",
            tuning.with(Map.of(1, ExitArchitecture.MLP, 2, ExitArchitecture.LAYER))));
  }

  private static Change change(
      String field,
      String before,
      String after,
      Objective objective,
      int micro,
      int global,
      Schedule schedule,
      AdamW.Options adamW,
      long seed) {
    return new Change(
        field,
        before,
        after,
        tuning.with(
            new TuneOptions(objective, false, Map.of(), micro, global, schedule, adamW, seed)));
  }

  @ParameterizedTest
  @MethodSource("changes")
  void aChangedOptionIsRefusedWithBothValues(Change change) {
    tuning.run(out, 2);
    assertThatThrownBy(() -> change.tuning.run(out))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(checkpoint(2).toString())
        .hasMessageContaining(change.field + " " + change.before)
        .hasMessageContaining("now it is " + change.after)
        .hasMessageNotContaining("\n");
    assertThat(ExitsFile.exists(out)).isFalse();
    checkAsReference(tuning.run(out));
  }

  @Test
  void oneThreadAndTwoGiveTheSameBytes() {
    checkAsReference(tuning.withThreads(2).run(out));
  }

  @ParameterizedTest
  @EnumSource(Objective.class)
  void exitsTunedTogetherEqualExitsTunedApart(Objective objective) {
    TuneOptions o = tuning.options();
    TuneOptions clipped =
        new TuneOptions(
            objective,
            true,
            Map.of(),
            o.microBatch(),
            o.globalBatch(),
            o.schedule(),
            // so low that every step is clipped: a norm over all exits would show
            new AdamW.Options(0.9, 0.95, 1e-5, 0.01, 1e-3),
            o.seed());
    Map<Integer, ExitArchitecture> all =
        Map.of(1, ExitArchitecture.MLP, 2, ExitArchitecture.NORM, 3, ExitArchitecture.LAYER);
    tuning.with(clipped).with(all).run(out.resolve("together"));
    try (Safetensors together = Safetensors.open(exitsFile(out.resolve("together")))) {
      int compared = 0;
      for (int depth : all.keySet()) {
        Path apart = out.resolve("apart " + depth);
        tuning.with(clipped).with(Map.of(depth, all.get(depth))).run(apart);
        try (Safetensors one = Safetensors.open(exitsFile(apart))) {
          for (String name : one.tensors().keySet()) {
            Parity.same(name, together.read(name), one.read(name));
            compared++;
          }
        }
      }
      assertThat(compared).isEqualTo(together.tensors().size());
    }
  }

  private Path checkpoint(int step) {
    return out.resolve("checkpoints").resolve("step-%06d".formatted(step));
  }

  private static Path exitsFile(Path folder) {
    return folder.resolve(ExitsFile.TENSORS);
  }

  /** The same bytes in both files, and the same losses from the first step on. */
  private void checkAsReference(Tuning.Report report) {
    assertThat(report.outcome().finished()).isTrue();
    for (String file : List.of(ExitsFile.TENSORS, ExitsFile.DESCRIPTION)) {
      try {
        assertThat(Files.mismatch(out.resolve(file), shared.resolve("reference").resolve(file)))
            .as("first differing byte of " + file)
            .isEqualTo(-1);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    assertThat(report.outcome().history().losses())
        .isEqualTo(reference.outcome().history().losses());
    assertThat(report.outcome().history().validations())
        .isEqualTo(reference.outcome().history().validations());
  }
}
