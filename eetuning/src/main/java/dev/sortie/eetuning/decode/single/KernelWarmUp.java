package dev.sortie.eetuning.decode.single;

import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.format.WeightSource;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.Miniature;
import dev.sortie.nn.load.ModelTiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
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

  /** Rows of a head: few, since they are read by kernels that are not compiled yet. */
  private static final int HEAD_ROWS = 64;

  /** The most rows of x that a kernel takes at a time. */
  private static final int DRAFTS = 4;

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
    this(precision, arithmetic, device, tokenizer -> LONG_PROMPT, true);
  }

  /**
   * A warm-up for decoding that has not begun, for a known prompt.
   *
   * @param prompt how many tokens it has: few rows take other kernels than many, and those of a
   *     matrix product are the longest to compile
   * @param drafts whether drafts are verified, several rows in a pass, however short the prompt is
   */
  public KernelWarmUp(
      Precision precision,
      Arithmetic arithmetic,
      Device device,
      ToIntFunction<Tokenizer> prompt,
      boolean drafts) {
    this.uses =
        List.of(
            new Use("reads", (model, computes) -> read(model, computes, drafts)),
            new Use("writes", KernelWarmUp::write));
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
    if (helps(device)) {
      uses.forEach(use -> start(use, config, weights));
    }
  }

  private static boolean helps(Device device) {
    return Boolean.getBoolean(PROPERTY) && device.kernels().name().startsWith("simd");
  }

  /** Has the tokenizer count the prompt's tokens. Until then nothing is read. */
  public void expect(Tokenizer tokenizer) {
    tokens.complete(Math.clamp(prompt.applyAsInt(tokenizer), 1, LONG_PROMPT));
  }

  private void read(Decoder miniature, Device computes, boolean drafts) {
    int prompt = tokens.join();
    int length = drafts ? Math.max(prompt, 2) : prompt;
    device.kernels().expectRows(drafts ? LONG_PROMPT : prompt);
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

  /**
   * Makes the JVM compile the kernels of exits' heads, which may be held in another type than the
   * model. Otherwise the first tokens would wait for one after another, and make calls on whole
   * heads until then.
   *
   * @param drafts whether heads read several drafts in a pass, for which they have kernels that
   *     take as many rows at a time
   */
  public static void heads(Exits exits, boolean drafts, Device device) {
    if (!helps(device)) {
      return;
    }
    List<Thread> begun = new ArrayList<>();
    for (Tensor head : exits.headRows(HEAD_ROWS)) {
      for (int m = 1; m <= (drafts ? DRAFTS : 1); m++) {
        int rows = m;
        begun.add(start("head", () -> products(head, rows, device)));
      }
    }
    join(begun);
  }

  /** Products of {@code m} rows with all of {@code w}. */
  private static void products(Tensor w, int m, Device device) {
    int n = w.shape().size(0);
    int k = w.shape().size(1);
    try (NativeArena arena = new NativeArena("rows for a head")) {
      Tensor x = Tensor.allocate(arena, DType.F32, Shape.of(m, k));
      Tensor y = Tensor.allocate(arena, DType.F32, Shape.of(m, n));
      for (int i = 0; i < TIMES; i++) {
        device.kernels().linear(x.span(), w.span(), null, y.span(), m, n, k);
      }
    }
  }

  private void start(Use use, DecoderConfig config, WeightSource weights) {
    threads.add(
        start(
            use.name(),
            () -> {
              try (NativeArena arena = new NativeArena("miniature")) {
                Decoder miniature = Miniature.of(config, weights, precision, arena);
                use.miniature().accept(miniature, device(miniature, arena));
              }
            }));
  }

  private static Thread start(String name, Runnable work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (RuntimeException e) { // the model itself says what is wrong with it
                System.getLogger(KernelWarmUp.class.getName()) // finding loggers takes 20 ms
                    .log(System.Logger.Level.DEBUG, "no warm-up of kernels", e);
              }
            },
            "sortie-warm-up-" + name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private Device device(Decoder miniature, NativeArena arena) {
    return arithmetic == Arithmetic.EXACT
        ? device
        : ModelTiles.device(miniature, name -> name, name -> true, device, arena);
  }

  /** Waits until the kernels are compiled; those of a long prompt where none was expected. */
  public void await() {
    tokens.complete(LONG_PROMPT);
    join(threads);
  }

  private static void join(List<Thread> threads) {
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
