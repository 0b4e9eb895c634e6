package dev.sortie.parallel.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.RopeScaling;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderSwitches;
import dev.sortie.nn.model.DecoderSwitches.Activation;
import dev.sortie.nn.model.DecoderSwitches.NormKind;
import dev.sortie.nn.model.DecoderSwitches.QueryKeyNorm;
import dev.sortie.nn.model.DecoderSwitches.Residual;
import dev.sortie.nn.model.LayerCycle;
import dev.sortie.nn.model.RandomWeights;
import dev.sortie.nn.model.SharedBases;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Backward;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.HeadLoss;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A whole decoder on several ranks against the same on one: logits, losses and all gradients. The
 * sums of row-parallel products have another order, so a difference is rounding, relative to the
 * largest element of a tensor.
 */
class DecoderParityTest {
  private static final double TOLERANCE = 1e-5;
  private static final int BATCH = 2;
  private static final int TOKENS = 12;

  /**
   * One case.
   *
   * @param sequence whether rows of the residual stream are shared out
   */
  record Case(String what, DecoderConfig config, int ranks, boolean sequence) {
    @Override
    public String toString() {
      return what + ", TP" + ranks + (sequence ? " with SP" : "");
    }
  }

  static Stream<Case> cases() {
    DecoderConfig grouped = config(4, 2, 37, true, llama());
    DecoderConfig uneven = config(9, 3, 40, false, llama());
    DecoderConfig one = config(4, 1, 40, true, llama());
    DecoderConfig normed = config(4, 2, 40, true, switches(Residual.PRE_NORM, true));
    DecoderConfig gpt = config(4, 4, 41, true, gpt());
    DecoderConfig parallel = config(4, 4, 40, false, parallel());
    DecoderConfig behind = config(4, 2, 40, true, switches(Residual.BOTH_NORMS, false));
    List<Case> cases = new ArrayList<>();
    for (boolean sequence : new boolean[] {false, true}) {
      cases.add(new Case("groups of two", grouped, 1, sequence));
      cases.add(new Case("groups of two", grouped, 2, sequence));
      cases.add(new Case("keys on two ranks each", grouped, 4, sequence));
      cases.add(new Case("three groups", uneven, 2, sequence));
      cases.add(new Case("three groups", uneven, 4, sequence));
      cases.add(new Case("one key head", one, 2, sequence));
      cases.add(new Case("norms in heads", normed, 4, sequence));
      cases.add(new Case("learned positions, biases, GELU", gpt, 2, sequence));
      cases.add(new Case("parallel layers", parallel, 4, sequence));
      cases.add(new Case("norms on both sides", behind, 2, sequence));
    }
    return cases.stream();
  }

  private static DecoderConfig config(
      int heads, int kvHeads, int vocab, boolean bias, DecoderSwitches switches) {
    return new DecoderConfig(
        2, 36, heads, kvHeads, 8, 50, vocab, 16, 1e-5, 1e4, false, bias, bias, !bias, switches);
  }

  private static DecoderSwitches llama() {
    return DecoderSwitches.llama(8, false);
  }

  private static DecoderSwitches switches(Residual residual, boolean headNorms) {
    return of(
        NormKind.RMS,
        residual,
        Activation.SILU,
        true,
        headNorms ? QueryKeyNorm.HEAD : QueryKeyNorm.NONE,
        true,
        false,
        3);
  }

  private static DecoderSwitches gpt() {
    return of(
        NormKind.LAYER,
        Residual.PRE_NORM,
        Activation.GELU_TANH,
        false,
        QueryKeyNorm.NONE,
        true,
        true,
        1);
  }

  private static DecoderSwitches parallel() {
    return of(
        NormKind.LAYER,
        Residual.PARALLEL,
        Activation.GELU,
        false,
        QueryKeyNorm.NONE,
        true,
        false,
        1);
  }

  private static DecoderSwitches of(
      NormKind norm,
      Residual residual,
      Activation activation,
      boolean gated,
      QueryKeyNorm queryKeyNorm,
      boolean outputBias,
      boolean positions,
      double embeddingScale) {
    return new DecoderSwitches(
        norm,
        residual,
        activation,
        gated,
        queryKeyNorm,
        outputBias,
        positions,
        embeddingScale,
        0.35,
        8,
        RopeScaling.NONE,
        1e4,
        List.of(),
        SharedBases.NONE,
        LayerCycle.NONE);
  }

  /** What one rank finds, by name. */
  record Found(DecoderShard share, Map<String, float[]> equal, Map<String, Tensor> gradients) {}

  @ParameterizedTest
  @MethodSource("cases")
  void logitsLossesAndGradientsAreThoseOfOneRank(Case c) {
    RankJob.run(
        1,
        alone -> {
          DecoderShard all = DecoderShard.of(c.config(), 1, 0);
          Found expected = compute(alone, all, Sharding.NONE);
          List<Found> first = onRanks(c, alone);
          List<Found> again = onRanks(c, alone);
          for (int r = 0; r < c.ranks(); r++) {
            near(expected, first.get(r));
            same(first.get(r), again.get(r));
            assertThat(first.get(r).equal().keySet()).isEqualTo(expected.equal().keySet());
            for (String name : first.get(r).equal().keySet()) {
              assertThat(first.get(r).equal().get(name))
                  .as(name + " on all ranks")
                  .containsExactly(first.getFirst().equal().get(name));
            }
          }
          return null;
        });
  }

  private static List<Found> onRanks(Case c, RankJob.Rank keeper) {
    return RankJob.run(
        c.ranks(),
        rank -> {
          DecoderShard share = DecoderShard.of(c.config(), c.ranks(), rank.position());
          Sharding sharding = new TensorParallel(rank.group(), share, c.sequence());
          Found found = compute(rank, share, sharding);
          Map<String, Tensor> kept = new LinkedHashMap<>();
          found.gradients().forEach((n, t) -> kept.put(n, copy(keeper, t)));
          return new Found(share, found.equal(), kept);
        });
  }

  private static Tensor copy(RankJob.Rank keeper, Tensor t) {
    return Tensor.of(keeper.arena(), t.shape(), t.toFloats());
  }

  private static Found compute(RankJob.Rank rank, DecoderShard share, Sharding sharding) {
    Ops ops = rank.ops();
    DecoderConfig whole = share.whole();
    RandomWeights random = new RandomWeights(new Random(5, 0), 0.2, whole.layers(), rank.arena());
    Weights weights = new ShardWeights(random, share);
    Decoder decoder =
        new Decoder(
            whole,
            share.config(),
            sharding,
            rank.arena(),
            (name, shape, role) -> shifted(weights.get(name, shape, role), name).asParameter());
    Tensor ids = ids(ops, whole.vocab(), 0);
    Tensor targets = ids(ops, whole.vocab(), 1);
    targets.span().set(3, -1);
    Tensor w = ops.full(DType.F32, targets.shape(), 1.0 / targets.shape().count());
    Map<String, float[]> equal = new LinkedHashMap<>();
    equal.put("logits", NoGrad.call(() -> decoder.forward(ops, ids)).toFloats());
    Gradients gradients = new Gradients(rank.arena(), ops.kernels(), decoder.parameters().values());
    for (boolean confident : new boolean[] {false, true}) {
      Tensor x = decoder.forward(ops, ids, whole.layers(), Decoder.Tap.NONE);
      HeadInput in = decoder.headInput(ops, x);
      HeadLoss ce = sharding.crossEntropy(ops, in, targets, w, confident);
      equal.put("ce" + confident, ce.sum().toFloats());
      equal.put("ce rows" + confident, ce.rows().toFloats());
      Backward.run(ops.kernels(), ops.workspace(), ce.sum(), gradients);
      // the hidden state after one layer as a student of the final one
      Tensor early = decoder.forward(ops, ids, 1, Decoder.Tap.NONE);
      HeadInput student = decoder.headInput(ops, early);
      Tensor late = decoder.forward(ops, ids, whole.layers(), Decoder.Tap.NONE);
      HeadInput teacher = decoder.headInput(ops, late);
      HeadLoss kl = sharding.kl(ops, List.of(student, teacher), teacher, w, confident);
      equal.put("kl" + confident, kl.sum().toFloats());
      equal.put("kl rows" + confident, kl.rows().toFloats());
      Backward.run(ops.kernels(), ops.workspace(), ops.sum(kl.sum()), gradients);
    }
    double norm = Math.sqrt(sumSquares(ops, gradients, decoder));
    if (sharding instanceof TensorParallel tp) {
      try (ShardGradients shares = new ShardGradients(tp, decoder.parameters())) {
        norm = shares.finish(ops.kernels(), ops.workspace(), gradients);
      }
    }
    equal.put("norm", new float[] {(float) norm});
    Map<String, Tensor> byName = new LinkedHashMap<>();
    decoder.parameters().forEach((name, p) -> byName.put(name, gradients.of(p)));
    return new Found(share, equal, byName);
  }

  private static double sumSquares(Ops ops, Gradients gradients, Decoder decoder) {
    return ops.kernels()
        .sumSquares(
            decoder.parameters().values().stream().map(p -> gradients.of(p).span()).toList());
  }

  /** Biases are 0 and norms 1 at the start, which would hide mistakes. */
  private static Tensor shifted(Tensor t, String name) {
    if (t.shape().rank() == 1 && DecoderShard.kind(name) == DecoderShard.Kind.WHOLE) {
      for (long i = 0; i < t.shape().count(); i++) {
        t.span().add(i, 0.1 * Math.sin(i + name.hashCode()));
      }
    }
    return t;
  }

  private static Tensor ids(Ops ops, int vocab, int from) {
    int[] ids = new int[BATCH * TOKENS];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = (7 * (i + from) + (i + from) * (i + from) / 3) % vocab;
    }
    return Tensor.ids(ops.workspace(), Shape.of(BATCH, TOKENS), ids);
  }

  private static void near(Found expected, Found found) {
    expected.equal().forEach((name, e) -> near(name, e, found.equal().get(name)));
    assertThat(found.gradients().keySet()).isEqualTo(expected.gradients().keySet());
    found
        .gradients()
        .forEach(
            (name, g) -> {
              Tensor whole = expected.gradients().get(name);
              near("gradient of " + name, part(whole, found.share(), name), g.toFloats());
            });
  }

  private static float[] part(Tensor whole, DecoderShard share, String name) {
    return share
        .part(name)
        .map(
            p -> {
              float[] out = new float[(int) p.of(whole.shape()).count()];
              long columns = whole.shape().rank() > 1 ? whole.shape().dim(1) : 1;
              int at = 0;
              for (long i = 0; i < whole.shape().count(); i++) {
                long where = p.dim() == 0 ? i / columns : i % columns;
                if (where >= p.from() && where < p.from() + p.count()) {
                  out[at++] = (float) whole.span().get(i);
                }
              }
              return out;
            })
        .orElseGet(whole::toFloats);
  }

  private static void near(String name, float[] expected, float[] found) {
    assertThat(found).as(name).hasSameSizeAs(expected);
    double largest = 1e-30;
    double worst = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]));
      worst = Math.max(worst, Math.abs((double) expected[i] - found[i]));
    }
    if (name.endsWith("k_proj.bias")) {
      largest = Math.max(largest, 0.01); // zero where keys are not rotated: a query's scores shift
    }
    assertThat(worst / largest).as(name + " relative to " + largest).isLessThan(TOLERANCE);
  }

  private static void same(Found first, Found again) {
    first.equal().forEach((n, x) -> assertThat(again.equal().get(n)).as(n).containsExactly(x));
    first
        .gradients()
        .forEach(
            (n, x) ->
                assertThat(again.gradients().get(n).toFloats())
                    .as("gradient of " + n + ", run twice")
                    .containsExactly(x.toFloats()));
  }
}
