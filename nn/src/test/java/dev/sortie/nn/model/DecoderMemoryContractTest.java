package dev.sortie.nn.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Without gradients a deeper model needs no more memory, but for what is asked to be kept. */
class DecoderMemoryContractTest {
  private static final int LAYERS = 9;
  private static final DecoderConfig CONFIG =
      new DecoderConfig(LAYERS, 32, 4, 2, 8, 48, 50, 64, 1e-5, 1e4, false, false, false, false);
  private static final long STATE = 4L * 64 * 32;

  /** Keeps some depths; sees all. */
  private record Keeping(
      Set<Integer> depths, Map<Integer, Tensor[]> seen, Map<Integer, float[]> bits)
      implements Decoder.Tap {
    Keeping(Set<Integer> depths) {
      this(depths, new HashMap<>(), new HashMap<>());
    }

    @Override
    public void see(int depth, Tensor a, Tensor x) {
      seen.put(depth, new Tensor[] {a, x});
      bits.put(2 * depth, a.toFloats());
      bits.put(2 * depth + 1, x.toFloats());
    }

    @Override
    public boolean keeps(int depth) {
      return depths.contains(depth);
    }
  }

  private static long peak(int depth, Decoder.Tap tap) {
    try (Device device = Device.cpu(1);
        Workspace workspace = new Workspace();
        NativeArena arena = new NativeArena("test")) {
      Decoder decoder =
          new Decoder(CONFIG, arena, new RandomWeights(new Random(1, 0), 0.2, LAYERS, arena));
      int[] ids = new int[64];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = i * 7 % 50;
      }
      Ops ops = new Ops(device, workspace);
      Tensor in = Tensor.ids(workspace, Shape.of(1, 64), ids);
      NoGrad.run(() -> decoder.forward(ops, in, depth, tap));
      if (tap instanceof Keeping keeping) {
        for (int kept : keeping.depths) {
          Tensor[] t = keeping.seen.get(kept);
          assertThat(t[0].toFloats()).as("a at %d", kept).isEqualTo(keeping.bits.get(2 * kept));
          assertThat(t[1].toFloats()).as("x at %d", kept).isEqualTo(keeping.bits.get(2 * kept + 1));
        }
      }
      return workspace.peak();
    }
  }

  @Test
  void depthCostsNothing() {
    assertThat(peak(LAYERS, Decoder.Tap.NONE)).isEqualTo(peak(2, Decoder.Tap.NONE));
  }

  @Test
  void whatIsKeptStaysAsItWasAndCostsTwoStatesADepth() {
    long none = peak(LAYERS, new Keeping(Set.of()));
    assertThat(none).isEqualTo(peak(LAYERS, Decoder.Tap.NONE));
    assertThat(peak(LAYERS, new Keeping(Set.of(1, 4, 5)))).isLessThanOrEqualTo(none + 6 * STATE);
    assertThat(peak(LAYERS, new Keeping(Set.of(1, 2, 3, 4, 5, 6, 7, 8, 9))))
        .isGreaterThan(none + 14 * STATE);
  }
}
