package dev.sortie.opencl;

import dev.sortie.tensor.kernel.AttentionCall;
import dev.sortie.tensor.kernel.KernelCall;
import dev.sortie.tensor.kernel.KernelQuery;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.PackedWeight;
import dev.sortie.tensor.kernel.tile.TiledWeight;
import dev.sortie.tensor.memory.Span;
import java.util.Map;
import java.util.TreeMap;

/**
 * The kernels of an OpenCL device. What it cannot do (a type that it does not read, a kernel that
 * failed its {@link Certification}) the host does in its stead, on memory that comes home for it;
 * {@link #hostCalls} tells what that was. Not thread-safe: one thread at a time.
 */
public final class OpenClKernels implements Kernels {
  private final Engine engine;
  private final DeviceKernels device;
  private final Certification certification;
  private final Kernels host;
  private final Map<String, Long> hostCalls = new TreeMap<>();

  /** Operands of the host come home first. */
  private final KernelCall.Binding home =
      new KernelCall.Binding() {
        @Override
        public Span read(Span span) {
          return engine.memory().toHost(span, false);
        }

        @Override
        public Span update(Span span) {
          return engine.memory().toHost(span, true);
        }

        @Override
        public Span write(Span span) {
          return engine.memory().toHost(span, true);
        }
      };

  /** Kernels on a device that is open; {@code host} does what the device cannot. */
  OpenClKernels(Engine engine, Kernels host) {
    this.engine = engine;
    this.device = new DeviceKernels(engine);
    this.certification = new Certification(engine);
    this.host = host;
  }

  @Override
  public String name() {
    return device.name();
  }

  /** What was copied between host and device so far. */
  public TransferCounts transfers() {
    return engine.memory().transfers();
  }

  /** How often each kernel ran on the host instead. */
  public Map<String, Long> hostCalls() {
    return Map.copyOf(hostCalls);
  }

  /** Kernels of this device that are not used, and why. */
  public Map<String, String> disabled() {
    return certification.disabled();
  }

  Certification certification() {
    return certification;
  }

  /** Waits until the device has done all that it was given. */
  public void finish() {
    engine.session().finish();
  }

  @Override
  public void close() {
    engine.close();
  }

  /** Whether the device has a kernel of this name, and it may be used. */
  private boolean can(String kernel) {
    return !kernel.equals(DeviceKernels.NONE) && certification.passes(kernel);
  }

  private Kernels host(String call) {
    hostCalls.merge(call, 1L, Long::sum);
    return host;
  }

  @Override
  public void run(KernelCall call) {
    if (can(DeviceKernels.kernel(call))) {
      device.run(call);
      return;
    }
    switch (call) {
      case MatrixCall.Linears c -> c.each(this::run);
      case AttentionCall.OfSequences c -> c.sequences().forEach(this::run);
      case AttentionCall.OverRuns c -> c.joined(this); // copied together on the device
      case MatrixCall.PackedLinear c when c.w().layout().equals(DeviceKernels.LAYOUT) ->
          host(c.name()).run(c.unpacked().bind(home));
      default -> host(call.name()).run(call.bind(home));
    }
  }

  @Override
  public double sum(KernelQuery.Sum call) {
    return can(device.kernel(call))
        ? device.sum(call)
        : host(call.squares() ? "sumSquares" : "sum").sum(call.bind(home));
  }

  @Override
  public PackedWeight pack(KernelQuery.Pack call) {
    return DeviceMatrix.macro(call.w().dtype()).isPresent()
        ? DeviceKernels.pack(call, this)
        : host("pack").pack(call.bind(home));
  }

  /** On the host: the device reads quantised weights as they are. */
  @Override
  public TiledWeight tile(KernelQuery.Tile call) {
    return host("tile").tile(call.bind(home));
  }

  @Override
  public boolean prefersTiles() {
    return false;
  }
}
