package dev.sortie.eetuning.train;

import dev.sortie.nn.model.Decoder;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** A micro-batch on its way through a stage, with the memory that it needs there. */
final class Flight implements AutoCloseable {
  private final Workspace workspace = new Workspace();
  private final Ops ops;
  private final List<Handle> sends = new ArrayList<>();
  private final Map<Integer, HiddenStates> states = new HashMap<>();
  private Microbatch batch;
  private Batch tensors;
  private Incoming input;
  private Incoming last;

  /** A tensor that another stage sends. */
  record Incoming(Tensor tensor, Handle handle) {
    Tensor await() {
      handle.await();
      return tensor;
    }
  }

  Flight(Device device) {
    this.ops = new Ops(device, workspace);
  }

  /** Begins with another micro-batch, once all that is still being sent is gone. */
  void begin(Microbatch next) {
    sends.forEach(Handle::await);
    sends.clear();
    states.clear();
    input = null;
    last = null;
    workspace.reset();
    batch = next;
    tensors = Batch.of(workspace, next.windows());
  }

  /** Memory for hidden states, {@code [B, T, C]}, or this rank's rows of them. */
  Tensor hidden(Decoder decoder) {
    Shape windows = tensors.inputs().shape();
    Shape whole = Shape.of(windows.dim(0), windows.dim(1), decoder.config().hidden());
    return ops.empty(DType.F32, decoder.sharding().residual(whole));
  }

  void sends(Handle handle) {
    sends.add(handle);
  }

  void input(Incoming in) {
    this.input = in;
  }

  Incoming input() {
    return input;
  }

  void last(Incoming in) {
    this.last = in;
  }

  Incoming last() {
    return last;
  }

  Ops ops() {
    return ops;
  }

  Microbatch batch() {
    return batch;
  }

  Batch tensors() {
    return tensors;
  }

  Map<Integer, HiddenStates> states() {
    return states;
  }

  /** Ends when nothing is sent from this memory or received into it any more. */
  @Override
  public void close() {
    List<Handle> pending = new ArrayList<>(sends);
    Stream.of(input, last).filter(Objects::nonNull).map(Incoming::handle).forEach(pending::add);
    Transfers.settle(pending);
    workspace.close();
  }
}
