package dev.sortie.eetuning.train.stage;

import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.eetuning.train.data.Batch;
import dev.sortie.eetuning.train.data.Microbatch;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.model.Decoder;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** A micro-batch on its way through a stage, with the memory that it needs there. */
public final class InFlightMicrobatch implements AutoCloseable {
  private final Workspace workspace = new Workspace();
  private final Ops ops;
  private final List<Handle> sends = new ArrayList<>();
  private final Map<Integer, HiddenState> states = new HashMap<>();
  private Microbatch batch;
  private Batch tensors;
  private Incoming input;
  private Incoming last;

  /** A tensor that another stage sends. */
  public record Incoming(Tensor tensor, Handle handle) {
    public Tensor await() {
      handle.await();
      return tensor;
    }
  }

  public InFlightMicrobatch(Device device) {
    this.ops = new Ops(device, workspace);
  }

  /** Begins with another micro-batch, once all that is still being sent is gone. */
  public void begin(Microbatch next) {
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
  public Tensor hidden(Decoder decoder) {
    Shape windows = tensors.inputs().shape();
    Shape whole = Shape.of(windows.dim(0), windows.dim(1), decoder.config().hidden());
    return ops.empty(DType.F32, decoder.sharding().residual(whole));
  }

  public void sends(Handle handle) {
    sends.add(handle);
  }

  public void input(Incoming in) {
    this.input = in;
  }

  public Incoming input() {
    return input;
  }

  public void last(Incoming in) {
    this.last = in;
  }

  public Incoming last() {
    return last;
  }

  public Ops ops() {
    return ops;
  }

  public Microbatch batch() {
    return batch;
  }

  public Batch tensors() {
    return tensors;
  }

  public Map<Integer, HiddenState> states() {
    return states;
  }

  /** Ends when nothing is sent from this memory or received into it any more. */
  @Override
  public void close() {
    List<Handle> pending = new ArrayList<>(sends);
    Stream.of(input, last).filter(Objects::nonNull).map(Incoming::handle).forEach(pending::add);
    ProcessGroups.settle(pending);
    workspace.close();
  }
}
