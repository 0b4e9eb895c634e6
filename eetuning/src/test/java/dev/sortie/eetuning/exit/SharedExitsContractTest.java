package dev.sortie.eetuning.exit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.launch.ThreadRanks;
import dev.sortie.parallel.shard.ShardBuilder;
import dev.sortie.parallel.shard.ShardGradients;
import dev.sortie.parallel.shard.ShardGroup;
import dev.sortie.parallel.shard.TensorParallel;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Backward;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.HeadLoss;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Exits of a backbone whose weights ranks share, against those of a whole one. */
class SharedExitsContractTest {
  private static final int TOKENS = 12;
  private static final int DRAFT = 23;

  @TempDir private static Path folder;

  @BeforeAll
  static void makeModel() {
    TinyModel.write(folder.resolve("model"), 5);
  }

  /** What a rank computes with. */
  private record Bench(int rank, LanguageModel model, Device device, NativeArena arena, Ops ops) {
    Decoder decoder() {
      return model.decoder();
    }

    Exit exit(ExitInit init, int depth, ExitArchitecture architecture, boolean own) {
      return exit(init, depth, architecture, own, 0);
    }

    Exit exit(ExitInit init, int depth, ExitArchitecture architecture, boolean own, int tokens) {
      ExitSpec spec = new ExitSpec(depth, architecture, own, tokens);
      return init.build(spec, decoder(), 3, arena, device.kernels());
    }
  }

  private static <T> T alone(Function<Bench, T> body) {
    return at(0, DecoderBuilder.WHOLE, body);
  }

  private static <T> List<T> together(int ranks, boolean sequence, Function<Bench, T> body) {
    return ThreadRanks.run(
        ranks,
        CommOptions.defaults(),
        c -> at(c.position(), new ShardBuilder(new ShardGroup(c), sequence), body));
  }

  private static <T> T at(int rank, DecoderBuilder builder, Function<Bench, T> body) {
    try (Device device = Device.cpu(1);
        Workspace workspace = new Workspace();
        NativeArena arena = new NativeArena("exits");
        LanguageModel model =
            LanguageModel.load(
                ModelFiles.open(folder.resolve("model")), Precision.F32, device, builder)) {
      return body.apply(new Bench(rank, model, device, arena, new Ops(device, workspace)));
    }
  }

  @ParameterizedTest
  @CsvSource({"2, false", "2, true", "4, false", "4, true"})
  void logitsLossesAndGradientsAreThoseOfAWholeBackbone(int ranks, boolean sequence) {
    Map<String, float[]> expected = alone(SharedExitsContractTest::numbers);
    assertThat(expected).hasSizeGreaterThan(30);
    for (Map<String, float[]> found : together(ranks, sequence, SharedExitsContractTest::numbers)) {
      assertThat(found.keySet()).isEqualTo(expected.keySet());
      expected.forEach((name, e) -> near(name, e, found.get(name)));
    }
  }

  /** Logits, losses, gradients of all architectures, with own heads and without. */
  private static Map<String, float[]> numbers(Bench b) {
    Map<String, float[]> all = new LinkedHashMap<>();
    for (ExitArchitecture architecture : ExitArchitecture.values()) {
      for (boolean own : new boolean[] {false, true}) {
        if (own || architecture != ExitArchitecture.EMBEDDING) {
          numbers(b, architecture, own, 0, all);
          numbers(b, architecture, own, DRAFT, all);
        }
      }
    }
    return all;
  }

  private static void numbers(
      Bench b, ExitArchitecture architecture, boolean own, int tokens, Map<String, float[]> all) {
    String what = architecture.word() + (own ? " own " : " tied ") + tokens + " ";
    Ops ops = b.ops();
    Decoder decoder = b.decoder();
    Exit start = b.exit(ExitInit.RANDOM, 2, architecture, own, tokens);
    SequencedMap<String, Tensor> trained = new LinkedHashMap<>();
    Exit exit =
        new Exit(
            start.spec(),
            decoder,
            (name, shape, role) -> {
              trained.put(name, start.parameters().get(name).asParameter());
              return trained.get(name);
            },
            start.draft(),
            b.arena());
    Tensor[] state = new Tensor[2];
    int layers = decoder.config().layers();
    Tensor last =
        NoGrad.call(
            () ->
                decoder.forward(
                    ops,
                    ids(ops, 0),
                    layers,
                    (depth, a, x) -> {
                      if (depth == 2) {
                        state[0] = x;
                        state[1] = a;
                      }
                    }));
    all.put(what + "logits", NoGrad.call(() -> exit.logits(ops, state[0], state[1]).toFloats()));
    Tensor w = ops.full(DType.F32, Shape.of(2, TOKENS), 0.05);
    Gradients gradients = new Gradients(b.arena(), ops.kernels(), trained.values());
    HeadInput in = exit.headInput(ops, state[0], state[1]);
    Tensor targets = ids(ops, 1);
    Tensor covered = start.draft().map(d -> d.indices(targets, ops.workspace())).orElse(targets);
    HeadLoss ce = exit.sharding().crossEntropy(ops, in, covered, w, true);
    HeadInput whole = NoGrad.call(() -> decoder.headInput(ops, last));
    Tensor head =
        start
            .draft()
            .map(d -> decoder.sharding().rows(whole.w(), d.ids(), b.arena()))
            .orElse(whole.w());
    HeadLoss kl = exit.sharding().kl(ops, List.of(in), new HeadInput(whole.x(), head), w, false);
    all.put(what + "ce", ce.sum().toFloats());
    all.put(what + "kl", kl.sum().toFloats());
    Tensor loss = ops.add(ops.sum(ce.sum()), ops.sum(kl.sum()));
    Backward.run(ops.kernels(), ops.workspace(), loss, gradients);
    if (decoder.sharding() instanceof TensorParallel tp) {
      try (ShardGradients shares = new ShardGradients(tp, trained)) {
        double norm = shares.finish(ops.kernels(), ops.workspace(), gradients);
        all.put(what + "norm", new float[] {(float) norm});
      }
    } else {
      double squares =
          ops.kernels()
              .sumSquares(trained.values().stream().map(p -> gradients.of(p).span()).toList());
      all.put(what + "norm", new float[] {(float) Math.sqrt(squares)});
    }
    SequencedMap<String, Tensor> found = new LinkedHashMap<>();
    trained.forEach((name, p) -> found.put(name, gradients.of(p)));
    exit.sharding()
        .whole(found, b.arena())
        .forEach((name, g) -> all.put(what + name, g.toFloats()));
  }

  private static Tensor ids(Ops ops, int from) {
    int[] ids = new int[2 * TOKENS];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = (5 * (i + from) + 3) % 61;
    }
    return Tensor.ids(ops.workspace(), Shape.of(2, TOKENS), ids);
  }

  private static void near(String name, float[] expected, float[] found) {
    assertThat(found).as(name).hasSameSizeAs(expected);
    double largest = 0;
    double worst = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]));
      worst = Math.max(worst, Math.abs((double) expected[i] - found[i]));
    }
    assertThat(largest).as(name).isPositive();
    assertThat(worst / largest).as(name).isLessThan(1e-5);
  }

  /** So that exits are added, moved and tuned under any layout. */
  @ParameterizedTest
  @CsvSource({"RANDOM, 2", "RANDOM, 4", "COPY, 2", "COPY, 4"})
  void newExitsHaveTheBytesOfOneRank(ExitInit init, int ranks) {
    Path expected = folder.resolve(init + "-whole");
    alone(b -> write(b, init, true, 0, expected));
    together(
        ranks,
        false,
        b -> write(b, init, true, 0, folder.resolve(init + "-" + ranks + "-" + b.rank())));
    for (int r = 0; r < ranks; r++) {
      Path found = folder.resolve(init + "-" + ranks + "-" + r);
      for (String file : List.of(ExitsFile.TENSORS, ExitsFile.DESCRIPTION)) {
        assertThat(bytes(found.resolve(file))).as(file).isEqualTo(bytes(expected.resolve(file)));
      }
    }
  }

  private static Path write(Bench b, ExitInit init, boolean own, int tokens, Path to) {
    List<Exit> exits =
        List.of(
            b.exit(init, 1, ExitArchitecture.LAYER, own, tokens),
            b.exit(init, 2, ExitArchitecture.MLP, true, DRAFT));
    ExitsFile.write(to, new Exits(b.model().sha256(), Map.of(), exits), b.model());
    return to;
  }

  private static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @CsvSource({"2, 0, 0", "2, 0.045, 0", "4, 0.045, 0", "2, 0.045, 20", "4, 0.03, 20"})
  void earlyExitDecodingChoosesTheSameTokensAndExits(int ranks, double threshold, int tokens) {
    Path exits = folder.resolve("decode-" + ranks + "-" + threshold + "-" + tokens);
    alone(b -> write(b, ExitInit.COPY, tokens == 0, tokens, exits));
    List<String> expected = alone(b -> decode(b, exits, threshold));
    assertThat(expected).hasSize(24).anyMatch(token -> !token.endsWith("final"));
    for (List<String> found : together(ranks, false, b -> decode(b, exits, threshold))) {
      assertThat(found).isEqualTo(expected);
    }
  }

  private static List<String> decode(Bench b, Path folder, double threshold) {
    Exits exits = ExitsReader.of(b.model()).read(folder, b.arena(), b.device().kernels());
    int[] prompt = {3, 14, 15, 9, 26};
    GenerateOptions options = new GenerateOptions(24, SamplingOptions.GREEDY, List.of(), true);
    int vocab = b.decoder().config().vocab();
    try (EarlyExit strategy =
        new EarlyExit(b.decoder(), exits, new MaxProbability(threshold), 40, 7, b.device())) {
      return new Generator(strategy, b.model().tokenizer(), List.of(), vocab)
          .run(prompt, options, t -> {}).tokens().stream()
              .map(
                  t ->
                      t.id()
                          + " "
                          + (t.exit().isPresent() ? "exit " + t.exit().getAsInt() : "final"))
              .toList();
    }
  }

  @Test
  void aDraftHeadOfFewerTokensThanRanksIsRefused() {
    assertThatThrownBy(
            () ->
                together(4, false, b -> b.exit(ExitInit.COPY, 1, ExitArchitecture.NORM, false, 3)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("a head over 3 tokens cannot be shared out to 4");
  }
}
