package dev.sortie.nn.basis;

import dev.sortie.nn.LinearMap;
import dev.sortie.nn.Unsharded;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * A decoder that reads calibration text layer by layer and keeps the covariance of what its
 * projections read. Each layer sees what the layers below give in full precision, not what their
 * factors give.
 */
public final class BasisCalibration {
  private final Decoder decoder;
  private final Device device;
  private final Workspace workspace;
  private final List<Tensor> states = new ArrayList<>();
  private final Map<Tensor, String> names = new IdentityHashMap<>();
  private Map<String, Covariance> seen = new HashMap<>();
  private int depth;

  /**
   * Reads the windows up to depth 0.
   *
   * @param weights of the decoder
   * @param windows ids, each its own sequence
   * @param allocator for the hidden states of all windows
   * @param workspace for temporaries
   */
  public BasisCalibration(
      DecoderConfig config,
      Weights weights,
      List<int[]> windows,
      Device device,
      Allocator allocator,
      Workspace workspace) {
    this.decoder = new Decoder(config, config, new Observer(), allocator, weights);
    this.device = device;
    this.workspace = workspace;
    decoder.parameters().forEach((name, tensor) -> names.put(tensor, name));
    Ops ops = new Ops(device, workspace);
    for (int[] ids : windows) {
      Tensor state =
          Tensor.allocate(
              allocator,
              decoder.finalNorm().weight().dtype(),
              Shape.of(1, ids.length, config.hidden()));
      states.add(state);
      NoGrad.run(
          () ->
              ops.into(
                  state,
                  () -> decoder.begin(ops, Tensor.ids(workspace, Shape.of(1, ids.length), ids))));
    }
  }

  /** Sees what the projections read. */
  private final class Observer extends Unsharded {
    @Override
    public List<Tensor> inputs(Ops ops, Tensor x, LinearMap... projections) {
      Covariance sum = seen.computeIfAbsent(name(projections[0]), n -> new Covariance(width(x)));
      sum.add(ops, x);
      for (LinearMap p : projections) {
        seen.put(name(p), sum);
      }
      return super.inputs(ops, x, projections);
    }

    @Override
    public Tensor output(Ops ops, Tensor x, LinearMap projection) {
      seen.computeIfAbsent(name(projection), n -> new Covariance(width(x))).add(ops, x);
      return super.output(ops, x, projection);
    }

    private String name(LinearMap p) {
      return names.get(p.first().weight());
    }

    private int width(Tensor x) {
      return x.shape().size(-1);
    }
  }

  /**
   * Reads the windows through the next layer.
   *
   * @return by the names of the layer's weights, the covariance of what each reads
   */
  Map<String, Covariance> next() {
    seen = new HashMap<>();
    int layer = depth++;
    Ops ops = new Ops(device, workspace);
    for (Tensor state : states) {
      NoGrad.run(
          () ->
              ops.into(
                  state, () -> decoder.advance(ops, state, layer, layer + 1, Decoder.Tap.NONE)));
    }
    return seen;
  }

  /** The decoder's weight of this name, {@code [N, K]}. */
  Tensor weight(String name) {
    return decoder.parameters().get(name);
  }

  /** The decoder. */
  DecoderConfig config() {
    return decoder.config();
  }

  /** Where it computes. */
  Device device() {
    return device;
  }
}
