package dev.sortie.nn.basis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.KvCache;
import dev.sortie.nn.RopeTables;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.nn.model.DecoderTensors;
import dev.sortie.nn.model.RandomWeights;
import dev.sortie.nn.model.SharedBases;
import dev.sortie.nn.model.SharedBases.Shared;
import dev.sortie.nn.model.StageTensors;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Decoders whose layers share bases, against the decoders that they were made from. */
class SharedDecoderContractTest {
  private static final int LAYERS = 5;
  private static final int TOKENS = 12;
  private static final DecoderConfig CONFIG =
      new DecoderConfig(LAYERS, 32, 4, 2, 8, 48, 60, 64, 1e-5, 1e4, false, true, false, true);

  private static SharedBases bases(int layers, int rank) {
    SequencedMap<String, Shared> all = new LinkedHashMap<>();
    for (String name : SharedBases.names(CONFIG)) {
      boolean own = name.endsWith("o_proj") || name.endsWith("down_proj");
      all.put(name, new Shared(own ? 1 : layers, rank));
    }
    return new SharedBases(all);
  }

  private static Weights random(NativeArena arena) {
    RandomWeights random = new RandomWeights(new Random(3, 0), 0.3, LAYERS, arena);
    return (name, shape, role) -> random.get(name, shape, role);
  }

  private static List<int[]> windows() {
    return IntStream.range(0, 6)
        .mapToObj(w -> IntStream.range(0, TOKENS).map(t -> (7 * w + 5 * t * t + t) % 60).toArray())
        .toList();
  }

  /** The decoder with these bases, made from one with {@code weights}. */
  private static Decoder shared(
      SharedBases bases, Weights weights, Device device, NativeArena arena) {
    try (Workspace workspace = new Workspace();
        NativeArena states = new NativeArena("states")) {
      Map<String, Tensor> taken = new HashMap<>();
      BasisCalibration calibration =
          new BasisCalibration(
              CONFIG,
              (name, shape, role) -> taken.computeIfAbsent(name, n -> weights.get(n, shape, role)),
              windows(),
              device,
              states,
              workspace);
      try (GroupFactors factors = new GroupFactors(calibration, bases)) {
        return new Decoder(
            CONFIG.withBases(bases),
            arena,
            (name, shape, role) ->
                taken.containsKey(name)
                    ? taken.get(name)
                    : copy(factors, name, shape, device, arena));
      }
    }
  }

  private static Tensor copy(
      GroupFactors factors, String name, Shape shape, Device device, NativeArena arena) {
    Tensor t = Tensor.allocate(arena, DType.F32, shape);
    device.kernels().copy(factors.get(name), t.span());
    return t;
  }

  private static float[] logits(Decoder decoder, Device device) {
    try (Workspace workspace = new Workspace()) {
      Ops ops = new Ops(device, workspace);
      Tensor ids = Tensor.ids(workspace, Shape.of(1, TOKENS), windows().get(1));
      return floats(NoGrad.call(() -> decoder.forward(ops, ids)));
    }
  }

  private static float[] floats(Tensor t) {
    float[] all = new float[(int) t.shape().count()];
    for (int i = 0; i < all.length; i++) {
      all[i] = (float) t.span().get(i);
    }
    return all;
  }

  private static double difference(float[] a, float[] b) {
    double most = 0;
    for (int i = 0; i < a.length; i++) {
      most = Math.max(most, Math.abs(a[i] - b[i]));
    }
    return most;
  }

  /** Logits are of size 1 to 10; a product in F32 of two factors rounds a few times more. */
  private static final double ROUNDING = 2e-4;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void atFullRankNothingChangesBeyondRounding(int layers) {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test")) {
      Weights weights = random(arena);
      float[] expected = logits(new Decoder(CONFIG, arena, random(arena)), device);
      Decoder full = shared(bases(layers, Integer.MAX_VALUE), weights, device, arena);
      assertThat(difference(logits(full, device), expected)).isBetween(1e-9, ROUNDING);
      Decoder less = shared(bases(layers, 6), weights, device, arena);
      assertThat(difference(logits(less, device), expected)).isGreaterThan(100 * ROUNDING);
    }
  }

  /** A model whose layers 0 and 1, 2 and 3 have common bases of rank 6 in q, k, v, gate and up. */
  @Test
  void aModelThatSharesBasesIsFoundAtTheirRank() {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test")) {
      Decoder made =
          new Decoder(CONFIG.withBases(bases(2, 6)), arena, random(arena)); // six of each kind
      float[] expected = logits(made, device);
      Weights whole = (name, shape, role) -> product(made, name, shape, device, arena);
      assertThat(difference(logits(new Decoder(CONFIG, arena, whole), device), expected))
          .isLessThan(ROUNDING);
      Decoder found = shared(bases(2, 6), whole, device, arena);
      assertThat(difference(logits(found, device), expected)).isLessThan(ROUNDING);
      Decoder less = shared(bases(2, 5), whole, device, arena);
      assertThat(difference(logits(less, device), expected)).isGreaterThan(100 * ROUNDING);
    }
  }

  /** A weight of {@code made}, multiplied out if it is a product. */
  private static Tensor product(
      Decoder made, String name, Shape shape, Device device, NativeArena arena) {
    Tensor own = made.parameters().get(name);
    if (own != null) {
      return own;
    }
    String[] parts = name.split("\\.", 4); // model.layers.N.PROJECTION.weight
    String projection = parts[3].substring(0, parts[3].length() - ".weight".length());
    SharedBases bases = made.config().switches().bases();
    var group = bases.group(projection, Integer.parseInt(parts[2]), LAYERS);
    Tensor basis = made.parameters().get(SharedBases.basis(projection, group));
    Tensor coefficients =
        made.parameters()
            .get("model.layers." + parts[2] + "." + projection + ".coefficients.weight");
    Tensor out = Tensor.allocate(arena, DType.F32, shape);
    int rank = coefficients.shape().size(1);
    for (int n = 0; n < shape.size(0); n++) {
      for (int k = 0; k < shape.size(1); k++) {
        double sum = 0;
        for (int r = 0; r < rank; r++) {
          sum +=
              coefficients.span().get((long) n * rank + r)
                  * basis.span().get((long) r * shape.size(1) + k);
        }
        out.span().set((long) n * shape.size(1) + k, sum);
      }
    }
    return out;
  }

  @Test
  void aBasisIsOneTensorForAllLayersThatShareIt() {
    SharedBases bases = bases(2, 6);
    DecoderConfig config = CONFIG.withBases(bases);
    try (NativeArena arena = new NativeArena("test")) {
      Decoder decoder = new Decoder(config, arena, random(arena));
      SequencedMap<String, List<Long>> shapes = new LinkedHashMap<>();
      decoder
          .parameters()
          .forEach(
              (name, t) ->
                  shapes.put(
                      name,
                      IntStream.range(0, t.shape().rank()).mapToObj(t.shape()::dim).toList()));
      assertThat(shapes).containsExactlyInAnyOrderEntriesOf(DecoderTensors.of(config));
      List<DecoderLayer> layers = decoder.layers();
      assertThat(q(layers, 0)).isSameAs(q(layers, 1)).isNotSameAs(q(layers, 2));
      assertThat(shapes.get("model.bases.2-3.mlp.up_proj.weight")).containsExactly(6L, 32L);
      assertThat(shapes).as("what is left").containsKey("model.bases.4-4.mlp.up_proj.weight");
      assertThat(shapes.get("model.layers.3.mlp.up_proj.coefficients.weight"))
          .containsExactly(48L, 6L);
      assertThat(decoder.parameterCount())
          .isLessThan(new Decoder(CONFIG, arena, random(arena)).parameterCount());
    }
  }

  private static Tensor q(List<DecoderLayer> layers, int i) {
    return layers.get(i).attention().q().first().weight();
  }

  @Test
  void aStageHasTheBasesOfItsLayers() {
    List<String> names =
        List.of(
            "model.bases.0-1.mlp.up_proj.weight",
            "model.bases.2-3.mlp.up_proj.weight",
            "model.bases.4-4.mlp.up_proj.weight",
            "model.layers.3.mlp.up_proj.coefficients.weight");
    assertThat(names.stream().filter(new StageTensors(0, 3, true, false, false, true)))
        .containsExactly(names.get(0), names.get(1));
    assertThat(names.stream().filter(new StageTensors(3, 5, false, true, true, true)))
        .containsExactly(names.get(1), names.get(2), names.get(3));
  }

  /** The exact cache of early-exit decoding depends on this. */
  @Test
  void aRowHasTheSameBitsAloneAndAmongFew() {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test");
        Workspace workspace = new Workspace()) {
      Decoder decoder = new Decoder(CONFIG.withBases(bases(2, 6)), arena, random(arena));
      Ops ops = new Ops(device, workspace);
      int[] ids = {3, 14, 15};
      List<float[]> alone = new ArrayList<>();
      List<KvCache> cache = decoder.cache(arena, DType.F32, 8);
      for (int t = 0; t < ids.length; t++) {
        alone.add(floats(step(decoder, ops, cache, new int[] {ids[t]}, t)));
      }
      Tensor together = step(decoder, ops, decoder.cache(arena, DType.F32, 8), ids, 0);
      float[] all = floats(together);
      for (int t = 0; t < ids.length; t++) {
        for (int i = 0; i < 32; i++) {
          assertThat(all[t * 32 + i]).isEqualTo(alone.get(t)[i]);
        }
      }
    }
  }

  private static Tensor step(Decoder decoder, Ops ops, List<KvCache> cache, int[] ids, int first) {
    RopeTables rope = decoder.rope();
    return NoGrad.call(
        () -> {
          Tensor in = Tensor.ids(ops.workspace(), Shape.of(1, ids.length), ids);
          Tensor x = decoder.embed(ops, in, first);
          for (int i = 0; i < LAYERS; i++) {
            DecoderLayer layer = decoder.layers().get(i);
            x = layer.feedForward(ops, layer.attend(ops, x, rope, cache.get(i), first));
          }
          return x;
        });
  }
}
