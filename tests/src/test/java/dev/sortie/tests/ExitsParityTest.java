package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.train.TokenLoss;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Backward;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Exits on a frozen backbone against PyTorch in float64. */
class ExitsParityTest {
  private static final double TOLERANCE = 1e-5;
  private static final int LAYERS = 3;

  private Bench bench;
  private Fixture expected;
  private Decoder backbone;
  private final Map<Integer, Tensor> hidden = new HashMap<>();
  private final Map<Integer, Tensor> residual = new HashMap<>();
  private Tensor teacher;

  @BeforeEach
  void runTheBackbone() {
    bench = Bench.open(2);
    expected = Fixture.open("exits");
    backbone = Fixture.decoder("tiny-llama", bench, DType.F32, false);
    Tensor ids = expected.ids(bench, "input_ids");
    teacher =
        NoGrad.call(
            () ->
                backbone.logits(
                    bench.ops(),
                    backbone.forward(
                        bench.ops(),
                        ids,
                        LAYERS,
                        (depth, a, x) -> {
                          residual.put(depth, a);
                          hidden.put(depth, x);
                        })));
  }

  @AfterEach
  void close() {
    expected.close();
    bench.close();
  }

  @ParameterizedTest
  @CsvSource({
    "ce, 1, embedding", "ce, 1, norm", "ce, 1, mlp", "ce, 1, layer",
    "ce, 2, embedding", "ce, 2, norm", "ce, 2, mlp", "ce, 2, layer",
    "kl, 1, embedding", "kl, 1, norm", "kl, 1, mlp", "kl, 1, layer",
    "kl, 2, embedding", "kl, 2, norm", "kl, 2, mlp", "kl, 2, layer",
    "dynamic, 1, mlp"
  })
  void lossAndGradientsAreThoseOfTorch(String objective, int depth, String architecture) {
    String name = "d" + depth + "." + architecture;
    Exit exit =
        new Exit(
            spec(depth, ExitArchitecture.of(architecture)),
            backbone,
            (tensor, shape, role) ->
                bench.copy(expected.read(name + "." + tensor), shape, DType.F32).asParameter());
    Ops ops = bench.ops();
    HeadInput student = exit.headInput(ops, hidden.get(depth), residual.get(depth));
    Tensor targets = expected.ids(bench, "targets");
    Tensor loss =
        objective.equals("kl")
            ? ops.sum(
                TokenLoss.kl(
                    ops,
                    List.of(student),
                    NoGrad.call(() -> backbone.headInput(ops, hidden.get(LAYERS))),
                    targets,
                    false,
                    expected.counted()))
            : TokenLoss.crossEntropy(
                ops, student, targets, objective.equals("dynamic"), expected.counted());
    double reference = expected.scalar("loss." + objective + "." + name);
    assertThat(loss.item()).isCloseTo(reference, within(TOLERANCE * reference));

    Gradients gradients = new Gradients(bench.arena(), bench.kernels(), exit.parameters().values());
    Backward.run(bench.kernels(), bench.ops().workspace(), loss, gradients);
    String prefix = "grad." + objective + "." + name + ".";
    assertThat(exit.parameters().keySet()).containsExactlyInAnyOrderElementsOf(after(prefix));
    exit.parameters()
        .forEach(
            (tensor, p) ->
                Parity.near(
                    prefix + tensor,
                    gradients.of(p).span(),
                    expected.read(prefix + tensor),
                    TOLERANCE));
  }

  @ParameterizedTest
  @EnumSource(ExitArchitecture.class)
  void copiesHaveTheBackbonesBits(ExitArchitecture architecture) {
    for (int depth = 1; depth < LAYERS; depth++) {
      Exit exit = copied(depth, architecture);
      assertThat(exit.parameters()).isNotEmpty();
      for (String name : exit.parameters().keySet()) {
        String source =
            switch (name) {
              case "head.weight" -> "lm_head.weight";
              case "norm.weight" -> "model.norm.weight";
              default ->
                  name.startsWith("layer.")
                      ? "model.layers." + (LAYERS - 1) + "." + name.substring("layer.".length())
                      : "model.layers." + (depth - 1) + "." + name;
            };
        Tensor original = backbone.parameters().get(source);
        Tensor copy = exit.parameters().get(name);
        Parity.same(depth + " " + name, copy.span(), original.span());
        assertThat(copy.storage()).as(name + " is a copy").isNotSameAs(original.storage());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ExitArchitecture.class,
      names = {"NORM", "MLP"})
  void aCopiedExitIsTheLogitLens(ExitArchitecture architecture) {
    for (int depth = 1; depth < LAYERS; depth++) {
      Tensor lens = backbone.logits(bench.ops(), hidden.get(depth));
      Parity.same(depth + " lens", logits(copied(depth, architecture)).span(), lens.span());
    }
  }

  /** The last layer's copy over the layer before it does what the backbone does there. */
  @Test
  void aCopiedLayerExitBeforeTheLastLayerIsTheFinalLayer() {
    Exit exit = copied(LAYERS - 1, ExitArchitecture.LAYER);
    Parity.same("final logits", logits(exit).span(), teacher.span());
  }

  @Test
  void anExitWithTheBackbonesHeadOwnsNoHead() {
    for (ExitArchitecture a : ExitArchitecture.values()) {
      ExitSpec shared = new ExitSpec(1, a, false);
      Exit exit = ExitInit.COPY.build(shared, backbone, 0, bench.arena(), bench.kernels());
      assertThat(exit.parameters().keySet()).as(a.word()).doesNotContain("head.weight");
      Parity.same(a.word(), logits(exit).span(), logits(copied(1, a)).span());
    }
  }

  private Exit copied(int depth, ExitArchitecture architecture) {
    ExitSpec spec = spec(depth, architecture);
    return ExitInit.COPY.build(spec, backbone, 0, bench.arena(), bench.kernels());
  }

  private Tensor logits(Exit exit) {
    return exit.logits(bench.ops(), hidden.get(exit.depth()), residual.get(exit.depth()));
  }

  private static ExitSpec spec(int depth, ExitArchitecture architecture) {
    return new ExitSpec(depth, architecture, true);
  }

  /** What follows {@code prefix} in the names of the fixture. */
  private Set<String> after(String prefix) {
    Set<String> rest = new HashSet<>();
    for (String name : expected.names()) {
      if (name.startsWith(prefix)) {
        rest.add(name.substring(prefix.length()));
      }
    }
    return rest;
  }
}
