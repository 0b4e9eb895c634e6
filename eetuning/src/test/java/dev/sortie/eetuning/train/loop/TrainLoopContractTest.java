package dev.sortie.eetuning.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.Altered;
import dev.sortie.eetuning.train.checkpoint.CheckpointListener;
import dev.sortie.nn.InputException;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainLoopContractTest {
  private static final BooleanSupplier GO_ON = () -> false;

  @TempDir private Path temp;
  private final Device device = Device.cpu(1);
  private final NativeArena arena = new NativeArena("train loop test");
  private final Events events = new Events();

  /** What the loop told. */
  private static class Events implements TrainLoop.Listener {
    final List<Integer> resumed = new ArrayList<>();
    final List<Integer> steps = new ArrayList<>();
    final List<Integer> validated = new ArrayList<>();

    @Override
    public void resumed(int step) {
      resumed.add(step);
    }

    @Override
    public void step(int done, Map<String, Double> losses, double tokensPerSecond) {
      steps.add(done);
    }

    @Override
    public void validated(int done, Map<String, Double> losses) {
      validated.add(done);
    }
  }

  @AfterEach
  void close() {
    arena.close();
    device.close();
  }

  private CountingJob job() {
    return new CountingJob(arena);
  }

  private TrainLoop.Outcome run(CountingJob job, Path out, int steps, BooleanSupplier stop) {
    LoopOptions options = new LoopOptions(out, steps, 2, 3);
    return new TrainLoop(job, options, device.kernels(), events, stop).run();
  }

  private TrainLoop.Outcome runAsync(
      CountingJob job, Path out, int steps, int keep, TrainLoop.Listener listener) {
    LoopOptions options = new LoopOptions(out, steps, 2, 3, keep, true);
    return new TrainLoop(job, options, device.kernels(), listener, GO_ON).run();
  }

  private BooleanSupplier stopAfter(int step) {
    return () -> events.steps.getLast() == step;
  }

  private static List<String> checkpoints(Path out) {
    return Altered.files(out.resolve("checkpoints"));
  }

  private static Path tensors(Path out, int step) {
    return out.resolve("checkpoints/step-%06d/state.safetensors".formatted(step));
  }

  /** The result of {@code steps} steps without a break. */
  private void assertSameAsUnbroken(CountingJob job, TrainLoop.Outcome outcome, int steps) {
    CountingJob unbroken = job();
    TrainLoop.Outcome expected = run(unbroken, temp.resolve("unbroken"), steps, GO_ON);
    assertThat(outcome.finished()).isTrue();
    assertThat(outcome.history().losses()).isEqualTo(expected.history().losses());
    assertThat(outcome.history().validations()).isEqualTo(expected.history().validations());
    assertThat(job.values()).isEqualTo(unbroken.values()).doesNotContain(0.0);
  }

  @Test
  void checkpointsComeAtTheirStepsAndAtTheEndAndTheLastTwoAreKept() {
    TrainLoop.Outcome outcome = run(job(), temp, 7, GO_ON);
    assertThat(outcome.finished()).isTrue();
    assertThat(outcome.history().steps()).isEqualTo(7);
    assertThat(outcome.tokensPerSecond()).isPositive();
    assertThat(checkpoints(temp))
        .containsExactly(
            "latest",
            "step-000006/state.json",
            "step-000006/state.safetensors",
            "step-000007/state.json",
            "step-000007/state.safetensors");
  }

  @Test
  void asManyCheckpointsAsWantedAreKept() {
    runAsync(job(), temp, 9, 3, events);
    assertThat(checkpoints(temp))
        .containsExactly(
            "latest",
            "step-000006/state.json",
            "step-000006/state.safetensors",
            "step-000008/state.json",
            "step-000008/state.safetensors",
            "step-000009/state.json",
            "step-000009/state.safetensors");
  }

  /** The file of step 2 is not begun before step 3 is done, and has the state of step 2. */
  @Test
  void aCheckpointDuringTheNextStepsIsOfItsOwnStep() throws Exception {
    CountDownLatch later = new CountDownLatch(1);
    List<Integer> wholeAt = new ArrayList<>();
    TrainLoop.Listener slow =
        new Events() {
          @Override
          public void saving(int step, CheckpointListener.Moment moment) {
            if (step == 2 && moment == CheckpointListener.Moment.FOLDER_MADE) {
              await(later);
            }
            if (step == 2 && moment == CheckpointListener.Moment.DESCRIBED) {
              wholeAt.add(steps.getLast());
            }
          }

          @Override
          public void step(int done, Map<String, Double> losses, double tokensPerSecond) {
            super.step(done, losses, tokensPerSecond);
            if (done == 3) {
              later.countDown();
            }
          }
        };
    CountingJob job = job();
    TrainLoop.Outcome outcome = runAsync(job, temp.resolve("async"), 9, 9, slow);
    assertSameAsUnbroken(job, outcome, 9);
    new TrainLoop(
            job(),
            new LoopOptions(temp.resolve("waiting"), 9, 2, 3, 9, false),
            device.kernels(),
            TrainLoop.Listener.NONE,
            GO_ON)
        .run();
    for (int step : new int[] {2, 4, 6, 8, 9}) {
      assertThat(tensors(temp.resolve("async"), step))
          .hasSameBinaryContentAs(tensors(temp.resolve("waiting"), step));
      assertThat(description(temp.resolve("async"), step))
          .hasSameTextualContentAs(description(temp.resolve("waiting"), step));
    }
    assertThat(wholeAt).as("steps done when the checkpoint of step 2 was whole").hasSize(1);
    assertThat(wholeAt.getFirst()).isGreaterThanOrEqualTo(3);
  }

  private static Path description(Path out, int step) {
    return tensors(out, step).resolveSibling("state.json");
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void anErrorOfACheckpointDuringTheNextStepsEndsTheRunAndTheLastGoodOneIsResumed() {
    TrainLoop.Listener full =
        new Events() {
          @Override
          public void saving(int step, CheckpointListener.Moment moment) {
            if (step == 4 && moment == CheckpointListener.Moment.FOLDER_MADE) {
              throw new IllegalStateException("no space left");
            }
          }
        };
    assertThatThrownBy(() -> runAsync(job(), temp.resolve("out"), 9, 2, full))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("no space left");
    assertThat(description(temp.resolve("out"), 2)).exists();
    assertThat(description(temp.resolve("out"), 4)).doesNotExist();
    CountingJob again = job();
    TrainLoop.Outcome outcome = runAsync(again, temp.resolve("out"), 9, 2, events);
    assertThat(events.resumed).containsExactly(2);
    assertSameAsUnbroken(again, outcome, 9);
  }

  @Test
  void validationsComeAtTheirStepsAndAtTheEnd() {
    TrainLoop.Outcome outcome = run(job(), temp, 7, GO_ON);
    assertThat(events.validated).containsExactly(3, 6, 7);
    assertThat(outcome.history().validations().keySet()).containsExactly(3, 6, 7);
    assertThat(outcome.history().lastValidation().keySet()).containsExactlyInAnyOrder("2", "4");
  }

  @Test
  void withoutHeldOutDataThereAreNoValidations() {
    CountingJob job = job();
    job.validates = false;
    assertThat(run(job, temp, 3, GO_ON).history().lastValidation()).isEmpty();
    assertThat(events.validated).isEmpty();
  }

  @Test
  void aStopSavesAndTheNextRunContinuesAsIfThereHadBeenNone() {
    TrainLoop.Outcome stopped = run(job(), temp, 8, stopAfter(3));
    assertThat(stopped.finished()).isFalse();
    assertThat(stopped.history().steps()).isEqualTo(3);
    assertThat(checkpoints(temp)).contains("step-000003/state.json");

    CountingJob job = job();
    TrainLoop.Outcome outcome = run(job, temp, 8, GO_ON);
    assertThat(events.resumed).containsExactly(3);
    assertThat(events.steps).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
    assertSameAsUnbroken(job, outcome, 8);
  }

  @Test
  void afterAKillTheNewestCheckpointIsTheStart() {
    CountingJob killed = job();
    killed.failAt = 5;
    assertThatThrownBy(() -> run(killed, temp, 8, GO_ON)).hasMessage("killed");
    CountingJob job = job();
    TrainLoop.Outcome outcome = run(job, temp, 8, GO_ON);
    assertThat(events.resumed).containsExactly(4);
    assertSameAsUnbroken(job, outcome, 8);
  }

  @Test
  void aDamagedCheckpointIsPassedOverForTheOneBefore() throws IOException {
    run(job(), temp, 8, stopAfter(5));
    byte[] bytes = Files.readAllBytes(tensors(temp, 5));
    bytes[bytes.length - 1] ^= 1;
    Files.write(tensors(temp, 5), bytes);
    CountingJob job = job();
    TrainLoop.Outcome outcome = run(job, temp, 8, GO_ON);
    assertThat(events.resumed).containsExactly(4);
    assertSameAsUnbroken(job, outcome, 8);
  }

  @Test
  void aCheckpointWithoutItsDescriptionIsNone() throws IOException {
    run(job(), temp, 8, stopAfter(5));
    Files.delete(tensors(temp, 5).resolveSibling("state.json"));
    run(job(), temp, 8, GO_ON);
    assertThat(events.resumed).containsExactly(4);
  }

  private static void rewrite(Path description, String from, String to) throws IOException {
    String text = Files.readString(description);
    assertThat(text).containsPattern(from);
    Files.writeString(description, text.replaceFirst(from, to));
  }

  @Test
  void aCheckpointOfOneFileAsEarlierVersionsWroteItIsResumed() throws IOException {
    run(job(), temp, 8, stopAfter(5));
    Path description = tensors(temp, 5).resolveSibling("state.json");
    rewrite(description, "\"files\":\\{\"state.safetensors\":(\"[^\"]*\")}", "\"sha256\":$1");
    CountingJob job = job();
    TrainLoop.Outcome outcome = run(job, temp, 8, GO_ON);
    assertThat(events.resumed).containsExactly(5);
    assertSameAsUnbroken(job, outcome, 8);
  }

  @Test
  void aCheckpointThatNamesAFileElsewhereIsPassedOver() throws IOException {
    run(job(), temp, 8, stopAfter(5));
    Path description = tensors(temp, 5).resolveSibling("state.json");
    rewrite(description, "\"state.safetensors\"", "\"../step-000004/state.safetensors\"");
    run(job(), temp, 8, GO_ON);
    assertThat(events.resumed).containsExactly(4);
  }

  @Test
  void aFinishedRunHasNothingMoreToDo() {
    TrainLoop.Outcome first = run(job(), temp, 4, GO_ON);
    events.steps.clear();
    TrainLoop.Outcome again = run(job(), temp, 4, GO_ON);
    assertThat(events.steps).isEmpty();
    assertThat(again.finished()).isTrue();
    assertThat(again.tokensPerSecond()).isZero();
    assertThat(again.history().losses()).isEqualTo(first.history().losses());
    assertThat(again.history().lastValidation()).isEqualTo(first.history().lastValidation());
  }

  @Test
  void aStopAtTheLastStepIsTheEnd() {
    assertThat(run(job(), temp, 4, stopAfter(4)).finished()).isTrue();
  }

  @Test
  void aLossThatIsNoNumberEndsTheRunAndKeepsTheLastCheckpoint() {
    CountingJob job = job();
    job.nanAt = 3;
    assertThatThrownBy(() -> run(job, temp, 8, GO_ON))
        .isInstanceOf(DivergedException.class)
        .hasMessageContaining("step 4")
        .hasMessageContaining("loss 4 is NaN")
        .hasMessageContaining("--lr")
        .hasMessageContaining("keeps the checkpoint after step 2");
    assertThat(checkpoints(temp))
        .containsExactly("latest", "step-000002/state.json", "step-000002/state.safetensors");
    assertThat(events.steps).containsExactly(1, 2, 3);
  }

  /** Again and again: what was saved leads to the same, and is never replaced by what it led to. */
  @Test
  void aValidationOrWeightThatIsNoNumberEndsTheRunBeforeItIsSaved() {
    for (int attempt = 0; attempt < 3; attempt++) {
      CountingJob job = job();
      job.validatesToNan = true;
      assertThatThrownBy(() -> run(job, temp.resolve("validation"), 8, GO_ON))
          .isInstanceOf(DivergedException.class)
          .hasMessageContaining("step 3: held-out loss 4 is NaN")
          .hasMessageContaining("keeps the checkpoint after step 2");
      CountingJob weight = job();
      weight.nanWeightAt = 3;
      assertThatThrownBy(() -> run(weight, temp.resolve("weight"), 8, GO_ON))
          .isInstanceOf(DivergedException.class)
          .hasMessageContaining("step 4: element 2 of weights is NaN")
          .hasMessageContaining("keeps the checkpoint after step 2");
    }
    CountingJob first = job();
    first.nanWeightAt = 1;
    assertThatThrownBy(() -> run(first, temp.resolve("first"), 8, GO_ON))
        .isInstanceOf(DivergedException.class)
        .hasMessageContaining("lower --lr; there is no checkpoint yet");
    assertThat(checkpoints(temp.resolve("first"))).isEmpty();
  }

  @Test
  void otherOptionsThanThoseOfTheCheckpointAreRefusedWithBothValues() {
    run(job(), temp, 8, stopAfter(3));
    CountingJob other = job();
    other.data = "b";
    assertThatThrownBy(() -> run(other, temp, 8, GO_ON))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("step-000003")
        .hasMessageContaining("data a")
        .hasMessageContaining("now it is b")
        .hasMessageContaining("--out");
    assertThat(other.values()).containsOnly(0.0);
  }

  @Test
  void anOptionThatTheCheckpointsRunDidWithoutIsRefusedAndTheOtherWayRound() {
    CountingJob with = job();
    with.more = Map.of("dropout", 0.1);
    run(job(), temp.resolve("without"), 8, stopAfter(3));
    assertThatThrownBy(() -> run(with, temp.resolve("without"), 8, GO_ON))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("begun without dropout '0.1'")
        .hasMessageContaining("--out");
    run(with, temp.resolve("with"), 8, stopAfter(3));
    assertThatThrownBy(() -> run(job(), temp.resolve("with"), 8, GO_ON))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("begun with dropout 0.1, now there is none")
        .hasMessageContaining("--out");
  }

  @Test
  void aCheckpointOfBeforeTheHeldOutWindowsWereKeptResumesAndThenKeepsThem() {
    run(job(), temp, 8, stopAfter(3));
    CountingJob later = job();
    later.more = Map.of("held_out_windows", 5);
    run(later, temp, 8, stopAfter(5));
    CountingJob other = job();
    other.more = Map.of("held_out_windows", 6);
    assertThatThrownBy(() -> run(other, temp, 8, GO_ON))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("step-000005")
        .hasMessageContaining("begun with held_out_windows 5, now it is 6");
    run(later, temp, 8, GO_ON);
    CountingJob straight = job();
    run(straight, temp.resolve("straight"), 8, GO_ON);
    assertThat(later.values()).isEqualTo(straight.values());
  }

  @Test
  void loopOptionsOutOfRangeAreRefusedByName() {
    assertThatThrownBy(() -> new LoopOptions(temp, 0, 1, 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--steps 0");
    assertThatThrownBy(() -> new LoopOptions(temp, 1, 0, 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--checkpoint-every 0");
    assertThatThrownBy(() -> new LoopOptions(temp, 1, 1, -3))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--validate-every -3");
    assertThatThrownBy(() -> new LoopOptions(temp, 1, 1, 1, 0, true))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--keep-checkpoints 0");
  }
}
