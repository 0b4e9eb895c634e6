package dev.sortie.eetuning.decode.single;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.eetuning.host.EmbeddedFolder;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.AttentionCall;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.ObservedKernels;
import dev.sortie.tensor.kernel.TiledKernels;
import dev.sortie.tensor.memory.NativeArena;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class KernelWarmUpContractTest {
  private static final String PROPERTY = "sortie.warmup";

  @AfterEach
  void reset() {
    System.clearProperty(PROPERTY);
  }

  @Test
  void aModelThatIsLoadedMeanwhileComputesTheSame() {
    float[] cold = logits();
    System.setProperty(PROPERTY, "true");
    assertThat(logits()).isEqualTo(cold);
  }

  @Test
  void itRunsOnThreadsOfItsOwnAndOnlyWhereTheLauncherAsksForIt() {
    try (Device device = Device.cpu(1)) {
      assertThat(threads(device)).isEmpty();
      System.setProperty(PROPERTY, "true");
      assertThat(threads(device)).hasSize(vectors() ? 2 : 0);
      assertThat(running()).as("after waiting").isEmpty();
    }
  }

  @Test
  void aTextIsReadWithTheRowsOfThePromptAndALongOneStandsForLongerOnes() {
    System.setProperty(PROPERTY, "true");
    assertThat(rows(OptionalInt.of(3), false)).isEqualTo(vectors() ? Set.of(1, 3) : Set.of());
    assertThat(rows(OptionalInt.of(0), false)).isEqualTo(vectors() ? Set.of(1) : Set.of());
    assertThat(rows(OptionalInt.of(0), true))
        .as("drafts come in twos")
        .isEqualTo(vectors() ? Set.of(1, 2) : Set.of());
    int rest = KernelWarmUp.LONG_PROMPT - TiledKernels.EARLY;
    Set<Integer> all = vectors() ? Set.of(1, KernelWarmUp.LONG_PROMPT, rest) : Set.of();
    assertThat(rows(OptionalInt.of(5000), false)).isEqualTo(all);
    assertThat(rows(OptionalInt.empty(), false)).as("none was expected").isEqualTo(all);
  }

  /** Heads of exits are those of fable, in BF16: products of one to four rows are made. */
  @Test
  void headsOfExitsAreReadForAsManyRowsAsAKernelTakes() {
    Set<Integer> rows = ConcurrentHashMap.newKeySet();
    try (Device cpu = Device.cpu(1);
        NativeArena arena = new NativeArena("exits of fable");
        LanguageModel model =
            LanguageModel.load(EmbeddedFolder.FABLE.path(), Precision.FILE, cpu)) {
      ObservedKernels kernels =
          new ObservedKernels(
              cpu.kernels(),
              (asked, ran, nanos) -> {
                if (ran instanceof MatrixCall.Linear linear) {
                  rows.add(linear.m());
                }
              });
      Exits exits =
          ExitsReader.of(model).read(EmbeddedFolder.FABLE_EXITS.path(), arena, cpu.kernels());
      Device observed = new Device(kernels, cpu.pool());
      KernelWarmUp.heads(exits, true, observed);
      assertThat(rows).as("without the launcher").isEmpty();
      System.setProperty(PROPERTY, "true");
      KernelWarmUp.heads(exits, false, observed);
      assertThat(rows).as("without drafts").isEqualTo(vectors() ? Set.of(1) : Set.of());
      KernelWarmUp.heads(exits, true, observed);
      assertThat(rows).isEqualTo(vectors() ? Set.of(1, 2, 3, 4) : Set.of());
      assertThat(running()).as("after waiting").isEmpty();
    }
  }

  /** How many tokens of a text are computed together, in a warm-up for a prompt. */
  private static Set<Integer> rows(OptionalInt prompt, boolean drafts) {
    Set<Integer> rows = ConcurrentHashMap.newKeySet();
    try (Device cpu = Device.cpu(1);
        ModelFiles files = ModelFiles.open(EmbeddedFolder.FABLE.path())) {
      ObservedKernels kernels =
          new ObservedKernels(
              cpu.kernels(),
              (asked, ran, nanos) -> {
                if (ran instanceof AttentionCall.Rope rope) {
                  rows.add(rope.shape().tokens());
                }
              });
      KernelWarmUp warmUp =
          new KernelWarmUp(
              Precision.FILE,
              Arithmetic.INTEGER,
              new Device(kernels, cpu.pool()),
              tokenizer -> prompt.orElseThrow(),
              drafts);
      warmUp.begin(files.config().decoder(), files.weights());
      if (prompt.isPresent()) {
        warmUp.expect(files.tokenizer());
      }
      warmUp.await();
    }
    return rows;
  }

  private static boolean vectors() {
    try (Device device = Device.cpu(1)) {
      return device.kernels().name().startsWith("simd");
    }
  }

  /** The threads that are there once a warm-up has begun. */
  private static List<String> threads(Device device) {
    KernelWarmUp kernels = new KernelWarmUp(Precision.FILE, Arithmetic.INTEGER, device);
    List<String> begun;
    try (ModelFiles files = ModelFiles.open(EmbeddedFolder.FABLE.path())) {
      kernels.begin(files.config().decoder(), files.weights());
      begun = running();
      kernels.await();
    }
    return begun;
  }

  private static List<String> running() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("sortie-warm-up"))
        .toList();
  }

  private static float[] logits() {
    try (Device device = Device.cpu(1)) {
      KernelWarmUp kernels = new KernelWarmUp(Precision.FILE, Arithmetic.INTEGER, device);
      try (LanguageModel model =
              LanguageModel.load(
                  ModelFiles.open(EmbeddedFolder.FABLE.path(), kernels::begin),
                  Precision.FILE,
                  device);
          FullDepth text = new FullDepth(model.decoder(), 64, device)) {
        float[] whole = text.prefill(new int[20]).logits();
        return Arrays.copyOf(whole, whole.length);
      } finally {
        kernels.await();
      }
    }
  }
}
