package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Backward;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The small program that does all of it on single numbers has the engine's losses. It computes in
 * F64, the engine in F32: a loss of 3 nats is some 2e-7 apart for that alone.
 */
@Tag("slow")
class MicroSortieParityTest {
  private static final Path FILE = Path.of("..", "examples", "MicroSortie.java");
  private static final double TOLERANCE = 1e-6;
  private static final int STEPS = 8;
  private static final double RATE = 0.01;
  private static final int RANKS = 2;

  @TempDir private static Path classes;

  private static Class<?> micro;

  @BeforeAll
  static void compile() throws Exception {
    String javac = Path.of(System.getProperty("java.home"), "bin", "javac").toString();
    Process compiling =
        new ProcessBuilder(javac, "-d", classes.toString(), FILE.toString()).inheritIO().start();
    assertThat(compiling.waitFor()).isZero();
    micro = new URLClassLoader(new URL[] {classes.toUri().toURL()}).loadClass("MicroSortie");
  }

  private static Object call(String name, Object... arguments) throws Exception {
    Method method =
        Arrays.stream(micro.getDeclaredMethods())
            .filter(m -> m.getName().equals(name) && m.getParameterCount() == arguments.length)
            .findFirst()
            .orElseThrow();
    method.setAccessible(true);
    return method.invoke(null, arguments);
  }

  private static int constant(String name) throws Exception {
    Field field = micro.getDeclaredField(name);
    field.setAccessible(true);
    return field.getInt(null);
  }

  /** The numbers of its matrices by name, as they are now. */
  private static Map<String, float[]> numbers(Object weights) throws Exception {
    Map<String, float[]> all = new LinkedHashMap<>();
    for (Map.Entry<?, ?> entry : ((Map<?, ?>) weights).entrySet()) {
      Object[] values = Stream.of((Object[][]) entry.getValue()).flatMap(Stream::of).toArray();
      float[] numbers = new float[values.length];
      for (int i = 0; i < numbers.length; i++) {
        Field data = values[i].getClass().getDeclaredField("data");
        data.setAccessible(true);
        numbers[i] = (float) data.getDouble(values[i]);
      }
      all.put((String) entry.getKey(), numbers);
    }
    return all;
  }

  private static Weights weights(
      Map<String, float[]> numbers, NativeArena arena, Function<Tensor, Tensor> use) {
    return (name, shape, _) -> {
      float[] values = numbers.get(name);
      assertThat(values).as(name).isNotNull();
      return use.apply(Tensor.of(arena, shape, values));
    };
  }

  private static DecoderConfig config(int vocab) throws Exception {
    int heads = constant("HEADS");
    return new DecoderConfig(
        constant("LAYERS"),
        constant("WIDTH"),
        heads,
        heads,
        constant("WIDTH") / heads,
        constant("INNER"),
        vocab,
        constant("WINDOW"),
        1e-5,
        10000,
        false,
        false,
        false,
        true);
  }

  /** Its windows {@code first ..}, as inputs or as targets. */
  private static Tensor ids(Workspace memory, int first, int count, int shift) throws Exception {
    int length = constant("WINDOW");
    int[] all = new int[count * length];
    for (int i = 0; i < count; i++) {
      System.arraycopy((int[]) call("window", first + i), shift, all, i * length, length);
    }
    return Tensor.ids(memory, Shape.of(count, length), all);
  }

  /** Computes the logits of some tokens. */
  private interface Logits {
    Tensor of(Ops ops, Tensor ids);
  }

  private static double[] train(
      Device device,
      NativeArena arena,
      SequencedMap<String, Tensor> parameters,
      int windows,
      Logits logits)
      throws Exception {
    Gradients gradients = new Gradients(arena, device.kernels(), parameters.values());
    AdamW adam =
        new AdamW(new AdamW.Options(0.9, 0.95, 1e-5, 0, 1e9), arena, device.kernels(), parameters);
    double[] losses = new double[STEPS];
    try (Workspace workspace = new Workspace()) {
      Ops ops = new Ops(device, workspace);
      for (int step = 0; step < STEPS; step++) {
        Tensor z = logits.of(ops, ids(workspace, step * windows, windows, 0));
        Tensor loss = ops.mean(ops.crossEntropy(z, ids(workspace, step * windows, windows, 1)));
        gradients.zero();
        Backward.run(device.kernels(), workspace, loss, gradients);
        adam.step(device.kernels(), gradients, step + 1, RATE);
        losses[step] = loss.item();
        workspace.reset();
      }
    }
    return losses;
  }

  @Test
  void itsLossesAreTheEngines() throws Exception {
    Object first = call("decoder", 1L);
    Map<String, float[]> start = numbers(first);
    double[] expected = (double[]) call("train", List.of(first, call("decoder", 1L)), STEPS, RATE);
    int vocab = start.get("model.embed_tokens.weight").length / constant("WIDTH");
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("micro")) {
      Decoder trained =
          new Decoder(config(vocab), arena, weights(start, arena, Tensor::asParameter));
      assertClose(train(device, arena, trained.parameters(), RANKS, trained::forward), expected);

      Map<String, float[]> frozen = numbers(first);
      Object exit = call("exit", first);
      Map<String, float[]> exitStart = numbers(exit);
      double[] tuned = (double[]) call("tune", first, exit, STEPS, RATE);
      assertThat(numbers(first))
          .as("the decoder stays as it is")
          .usingRecursiveComparison()
          .isEqualTo(frozen);
      Decoder backbone = new Decoder(config(vocab), arena, weights(frozen, arena, t -> t));
      int depth = constant("EXIT");
      Exit engine =
          new Exit(
              new ExitSpec(depth, ExitArchitecture.NORM, true),
              backbone,
              weights(exitStart, arena, Tensor::asParameter));
      assertClose(
          train(
              device,
              arena,
              new LinkedHashMap<>(engine.parameters()),
              1,
              (ops, ids) -> {
                Tensor x = backbone.forward(ops, ids, depth, Decoder.Tap.NONE);
                return engine.logits(ops, x, x);
              }),
          tuned);
    }
  }

  private static void assertClose(double[] engine, double[] micro) {
    assertThat(engine[0] - engine[STEPS - 1]).as("what was learnt").isGreaterThan(0.05);
    for (int step = 0; step < STEPS; step++) {
      assertThat(engine[step]).as("step " + step).isCloseTo(micro[step], within(TOLERANCE));
    }
  }

  @Test
  void textThatLeavesEarlyIsExactWhereTheExitIsNeverTaken() throws Exception {
    Object model = call("decoder", 1L);
    call("train", List.of(model, call("decoder", 1L)), 40, RATE);
    Object exit = call("exit", model);
    int[] never = new int[1];
    int[] always = new int[1];
    String full = (String) call("decode", model, exit, "the ", 20, 2.0, never);
    assertThat(full).hasSize(24).startsWith("the ");
    assertThat(never[0]).isZero();
    assertThat((String) call("decode", model, exit, "the ", 20, 0.0, always)).hasSize(24);
    assertThat(always[0]).isEqualTo(20);
  }

  @Test
  void itRunsWithoutFlagsAndIsShort() throws Exception {
    assertThat(Files.readAllLines(FILE)).hasSizeLessThanOrEqualTo(300);
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    Process process = new ProcessBuilder(java, FILE.toString()).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    assertThat(said).hasLineCount(5).contains("two ranks train", "left early: the ");
  }
}
