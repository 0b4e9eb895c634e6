package dev.sortie.eetuning.decode.single;

import dev.sortie.nn.format.WeightSource;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.Miniature;
import dev.sortie.nn.load.ModelTiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.TiledKernels;
import dev.sortie.tensor.memory.NativeArena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.ToIntFunction;

/**
 * Makes the JVM compile the kernels of a model while the model is loaded, by doing with its {@link
 * Miniature} what will be done with the model. Until it is compiled, a kernel runs a thousand times
 * slower than after: each of its vectors is an object.
 *
 * <p>That takes few calls because the launcher gives the JVM low thresholds for kernels, and
 * because it lets a call wait for the compiler ({@code docs/cold-start.md}). Without these flags
 * there is no warm-up. Results do not depend on it: all kernels are the same, compiled or not.
 */
public final class KernelWarmUp {
  /** Set by the launcher with the flags. */
  private static final String PROPERTY = "sortie.warmup";

  /**
   * A text that stands for all longer ones: after the early positions it has more tokens than the
   * stable rows, and no multiple of a tile's, so every kernel of prompts has a part.
   */
  public static final int LONG_PROMPT = TiledKernels.EARLY + 43;

  /** Texts read, and tokens written: the kernel that is called least is compiled by then. */
  private static final int TIMES = 32;

  /**
   * What is done with a model.
   *
   * @param name for a thread
   * @param miniature does it with a miniature on a device, often enough for all kernels
   */
  public record Use(String name, BiConsumer<Decoder, Device> miniature) {}

  private final List<Thread> threads = new ArrayList<>();
  private final List<Use> uses;
  private final ToIntFunction<Tokenizer> prompt;
  private final CompletableFuture<Integer> tokens = new CompletableFuture<>();
  private final Precision precision;
  private final Arithmetic arithmetic;
  private final Device device;

  /** A warm-up for decoding that has not begun: reading a long text and writing one. */
  public KernelWarmUp(Precision precision, Arithmetic arithmetic, Device device) {
    this(precision, arithmetic, device, tokenizer -> LONG_PROMPT);
  }

  /**
   * A warm-up for decoding that has not begun, for a known prompt.
   *
   * @param prompt how many tokens it has: few rows take other kernels than many, and those of a
   *     matrix product are the longest to compile
   */
  public KernelWarmUp(
      Precision precision, Arithmetic arithmetic, Device device, ToIntFunction<Tokenizer> prompt) {
    this.uses = List.of(new Use("reads", this::read), new Use("writes", KernelWarmUp::write));
    this.prompt = prompt;
    this.precision = precision;
    this.arithmetic = arithmetic.on(device);
    this.device = device;
  }

  /** A warm-up that has not begun, for several uses of a model, each on a thread of its own. */
  public KernelWarmUp(Precision precision, Arithmetic arithmetic, Device device, List<Use> uses) {
    this.uses = List.copyOf(uses);
    this.prompt = tokenizer -> LONG_PROMPT;
    this.precision = precision;
    this.arithmetic = arithmetic.on(device);
    this.device = device;
  }

  /** Begins, on threads of its own; does nothing where it cannot help. */
  public void begin(DecoderConfig config, WeightSource weights) {
    if (Boolean.getBoolean(PROPERTY) && device.kernels().name().startsWith("simd")) {
      uses.forEach(use -> start(use, config, weights));
    }
  }

  /** Has the tokenizer count the prompt's tokens. Until then nothing is read. */
  public void expect(Tokenizer tokenizer) {
    tokens.complete(Math.clamp(prompt.applyAsInt(tokenizer), 1, LONG_PROMPT));
  }

  private void read(Decoder miniature, Device computes) {
    int length = tokens.join();
    device.kernels().expectRows(length);
    int after = length - TiledKernels.EARLY;
    int again = after > Kernels.ROW_STABLE ? after : length; // early positions need few calls
    try (FullDepth text = new FullDepth(miniature, length, computes)) {
      text.prefill(new int[length]);
      for (int i = 1; i < TIMES; i++) {
        text.rewind(length - again);
        text.prefill(new int[again]);
      }
    }
  }

  private static void write(Decoder miniature, Device computes) {
    try (FullDepth text = new FullDepth(miniature, TIMES + 1, computes)) {
      text.prefill(new int[1]);
      for (int i = 0; i < TIMES; i++) {
        text.next(0);
      }
    }
  }

  private void start(Use use, DecoderConfig config, WeightSource weights) {
    Thread thread =
        new Thread(
            () -> {
              try (NativeArena arena = new NativeArena("miniature")) {
                Decoder miniature = Miniature.of(config, weights, precision, arena);
                use.miniature().accept(miniature, device(miniature, arena));
              } catch (RuntimeException e) { // the model itself says what is wrong with it
                System.getLogger(KernelWarmUp.class.getName()) // finding loggers takes 20 ms
                    .log(System.Logger.Level.DEBUG, "no warm-up of kernels", e);
              }
            },
            "sortie-warm-up-" + use.name());
    thread.setDaemon(true);
    threads.add(thread);
    thread.start();
  }

  private Device device(Decoder miniature, NativeArena arena) {
    return arithmetic == Arithmetic.EXACT
        ? device
        : ModelTiles.device(miniature, name -> name, name -> true, device, arena);
  }

  /** Waits until the kernels are compiled; those of a long prompt where none was expected. */
  public void await() {
    tokens.complete(LONG_PROMPT);
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
