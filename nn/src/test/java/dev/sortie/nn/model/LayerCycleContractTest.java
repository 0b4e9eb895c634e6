package dev.sortie.nn.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.CachedRows;
import dev.sortie.nn.InputException;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.Weights;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.GradCheck;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Layers that are used again, and their zero tokens. */
class LayerCycleContractTest {
  private static final int VOCAB = 23;

  private Device device;
  private NativeArena arena;
  private Workspace workspace;
  private Ops ops;

  @BeforeEach
  void open() {
    device = Device.cpu(2);
    arena = new NativeArena("test");
    workspace = new Workspace();
    ops = new Ops(device, workspace);
  }

  @AfterEach
  void close() {
    workspace.close();
    arena.close();
    device.close();
  }

  private static DecoderConfig plain(int layers) {
    return new DecoderConfig(
        layers, 12, 4, 2, 6, 14, VOCAB, 48, 1e-5, 1e4, false, false, false, true);
  }

  /** Weights by name and index; keys of zero tokens are not 0. */
  private Weights random(DType dtype) {
    return (name, shape, role) -> {
      Random stream = new Random(3, 0).stream(name);
      Tensor t = Tensor.allocate(arena, dtype, shape);
      for (long i = 0; i < shape.count(); i++) {
        double x = stream.normal(i);
        t.span()
            .set(i, role == Weights.Role.NORM ? 1 + 0.1 * x : name.contains("zero") ? x : 0.3 * x);
      }
      return t.asParameter();
    };
  }

  private float[] logits(Decoder decoder, int... ids) {
    return NoGrad.call(
        () -> decoder.forward(ops, Tensor.ids(workspace, Shape.of(1, ids.length), ids)).toFloats());
  }

  private static int[] text(int length) {
    return IntStream.range(0, length).map(i -> (i * 7 + 3) % VOCAB).toArray();
  }

  @Test
  void aPlaceInTheSequenceNamesTheLayerThatIsStored() {
    LayerCycle cycle = new LayerCycle(3, true);
    assertThat(cycle.executed(4)).isEqualTo(8);
    assertThat(cycle.stored(8)).isEqualTo(4);
    assertThat(IntStream.range(0, 8).map(i -> cycle.storedLayer(i, 8)))
        .containsExactly(0, 1, 2, 1, 2, 1, 2, 3);
    assertThat(IntStream.range(0, 8).map(i -> cycle.use(i, 8)))
        .containsExactly(0, 0, 0, 1, 1, 2, 2, 0);
    assertThat(IntStream.range(0, 5).map(i -> LayerCycle.NONE.storedLayer(i, 5)))
        .containsExactly(0, 1, 2, 3, 4);
  }

  @Test
  void oneUseWithoutAZeroTokenHasTheBitsOfAPlainModel() {
    Decoder plain = new Decoder(plain(4), arena, random(DType.F32));
    DecoderConfig once = plain(4).withCycle(new LayerCycle(1, false));
    Decoder cycled = new Decoder(once, arena, random(DType.F32));
    assertThat(logits(cycled, text(20))).containsExactly(logits(plain, text(20)));
  }

  @Test
  void layersThatAreUsedAgainHaveTheBitsOfLayersWithEqualWeights() {
    DecoderConfig twice = plain(4).withCycle(new LayerCycle(2, false));
    Decoder cycled = new Decoder(twice, arena, random(DType.F32));
    Weights copies =
        (name, shape, role) -> random(DType.F32).get(original(twice, name), shape, role);
    Decoder plain = new Decoder(plain(6), arena, copies);
    assertThat(logits(cycled, text(20))).containsExactly(logits(plain, text(20)));
    assertThat(cycled.parameterCount()).isLessThan(plain.parameterCount());
  }

  private static String original(DecoderConfig cycled, String name) {
    String prefix = "model.layers.";
    if (!name.startsWith(prefix)) {
      return name;
    }
    int dot = name.indexOf('.', prefix.length());
    int layer = Integer.parseInt(name.substring(prefix.length(), dot));
    return prefix + cycled.storedLayer(layer) + name.substring(dot);
  }

  @Test
  void gradientsOfSharedWeightsKeysAndGatesAreThoseOfDifferences() {
    DecoderConfig c =
        new DecoderConfig(3, 6, 2, 1, 4, 5, 7, 8, 1e-5, 1e4, false, false, false, true)
            .withCycle(new LayerCycle(2, true));
    Decoder decoder = new Decoder(c, arena, random(DType.F64));
    Tensor ids = Tensor.ids(arena, Shape.of(2, 3), new int[] {1, 5, 2, 6, 0, 3});
    Tensor[] parameters = decoder.parameters().values().toArray(Tensor[]::new);
    assertThat(decoder.parameters()).containsKey("model.layers.1.self_attn.zero_key.1");
    GradCheck.check(ops, _ -> decoder.forward(ops, ids), parameters);
  }

  @Test
  void aKeyThatDrawsAllSwitchesItsLayerOff() {
    DecoderConfig c = plain(3).withCycle(new LayerCycle(2, true));
    // queries are positive, so their products with a large positive key are far above all scores
    Weights off =
        (name, shape, role) -> {
          Tensor t = random(DType.F32).get(name, shape, role);
          if (name.endsWith("layers.1.self_attn.q_proj.weight")) {
            for (long i = 0; i < shape.count(); i++) {
              t.span().set(i, Math.abs(t.span().get(i)));
            }
          }
          return t;
        };
    Decoder decoder = new Decoder(c, arena, off);
    DecoderLayer layer = decoder.layers().get(1);
    Tensor x = Tensor.allocate(arena, DType.F32, Shape.of(1, 5, 12));
    for (long i = 0; i < x.shape().count(); i++) {
      x.span().set(i, 1 + i % 3); // positive, as the queries are then
    }
    Tensor key = layer.attention().zeroToken().orElseThrow().key();
    for (long i = 0; i < key.shape().count(); i++) {
      key.span().set(i, 1e4);
    }
    NoGrad.run(
        () ->
            assertThat(layer.attend(ops, x, decoder.rope()).toFloats())
                .containsExactly(x.toFloats()));
  }

  @Test
  void tokensOfSeveralTextsInOnePassHaveTheBitsThatEachHasAlone() {
    Decoder decoder =
        new Decoder(plain(4).withCycle(new LayerCycle(2, true)), arena, random(DType.F32));
    int[][] texts = {text(9), Arrays.copyOfRange(text(20), 6, 13)};
    NoGrad.run(
        () -> {
          List<float[]> alone = new ArrayList<>();
          List<List<KvCache>> caches = new ArrayList<>();
          for (int[] ids : texts) {
            caches.add(decoder.cache(arena, DType.F32, 48));
            List<KvCache> own = decoder.cache(arena, DType.F32, 48);
            float[] last = null;
            for (int i = 0; i < ids.length; i++) { // one token after the other
              Tensor one = Tensor.ids(workspace, Shape.of(1, 1), ids[i]);
              Tensor x = decoder.embed(ops, one, i);
              for (int l = 0; l < own.size(); l++) {
                DecoderLayer layer = decoder.layers().get(l);
                Tensor a = layer.attend(ops, x, decoder.rope(), own.get(l), i);
                x = layer.feedForward(ops, a);
              }
              last = x.toFloats();
            }
            alone.add(last);
          }
          Tensor x = together(decoder, texts, caches);
          float[] all = x.toFloats();
          int width = 12;
          int row = 0;
          for (int t = 0; t < texts.length; t++) {
            row += texts[t].length;
            assertThat(Arrays.copyOfRange(all, (row - 1) * width, row * width))
                .containsExactly(alone.get(t));
          }
        });
  }

  /** All tokens of all texts in one pass, {@code [1, R, C]}. */
  private Tensor together(Decoder decoder, int[][] texts, List<List<KvCache>> caches) {
    int rows = Arrays.stream(texts).mapToInt(ids -> ids.length).sum();
    Tensor x = ops.empty(DType.F32, Shape.of(1, rows, 12));
    long at = 0;
    for (int[] ids : texts) {
      Tensor e = decoder.embed(ops, Tensor.ids(workspace, Shape.of(1, ids.length), ids), 0);
      ops.kernels().copy(e.span(), x.span().slice(at, e.shape().count()));
      at += e.shape().count();
    }
    for (int l = 0; l < decoder.layers().size(); l++) {
      List<CachedRows> sequences = new ArrayList<>();
      for (int t = 0; t < texts.length; t++) {
        sequences.add(new CachedRows(caches.get(t).get(l), 0, texts[t].length));
      }
      DecoderLayer layer = decoder.layers().get(l);
      x = layer.feedForward(ops, layer.attend(ops, x, decoder.rope(), sequences));
    }
    return x;
  }

  @Test
  void whatIsNoCycleIsRefused() {
    assertThatThrownBy(() -> new LayerCycle(0, false))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("num_cycles is 0");
    assertThatThrownBy(() -> plain(2).withCycle(new LayerCycle(2, true)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("2 layers are not a first, a last and 2 times the same ones");
    assertThatThrownBy(
            () -> plain(3).withCycle(new LayerCycle(2, true)).requireLayersUsedOnce("--pp 2"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--pp 2: this model uses its layers 2 to 2 2 times over");
  }
}
