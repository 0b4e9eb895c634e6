package dev.sortie.tensor.kernel;

import dev.sortie.tensor.kernel.tile.TiledWeight;
import java.util.List;

/**
 * Kernels that tell an observer what they carried out and how long each call took. They compute
 * what the kernels beneath compute, to the bit. Sums, packing and tiling are not told of.
 */
public final class ObservedKernels implements Kernels {
  private final Kernels kernels;
  private final Observer observer;

  /** Learns of each call after it, in the thread that made it. */
  @FunctionalInterface
  public interface Observer {
    /**
     * A call was carried out.
     *
     * @param asked the call that was made
     * @param ran one of the calls that carried it out, see {@link Kernels#resolve}
     * @param nanos how long that took
     */
    void ran(KernelCall asked, KernelCall ran, long nanos);
  }

  /** Observes {@code kernels}; closing this closes them. */
  public ObservedKernels(Kernels kernels, Observer observer) {
    this.kernels = kernels;
    this.observer = observer;
  }

  @Override
  public String name() {
    return kernels.name();
  }

  @Override
  public void close() {
    kernels.close();
  }

  @Override
  public void expectRows(int rows) {
    kernels.expectRows(rows);
  }

  @Override
  public void run(KernelCall call) {
    for (KernelCall each : kernels.resolve(call)) {
      long start = System.nanoTime();
      kernels.run(each);
      observer.ran(call, each, System.nanoTime() - start);
    }
  }

  @Override
  public List<KernelCall> resolve(KernelCall call) {
    return kernels.resolve(call);
  }

  @Override
  public double sum(KernelQuery.Sum call) {
    return kernels.sum(call);
  }

  @Override
  public PackedWeight pack(KernelQuery.Pack call) {
    return kernels.pack(call);
  }

  @Override
  public TiledWeight tile(KernelQuery.Tile call) {
    return kernels.tile(call);
  }

  @Override
  public boolean prefersTiles() {
    return kernels.prefersTiles();
  }

  @Override
  public Kernels stepwise() {
    return new ObservedKernels(kernels.stepwise(), observer);
  }
}
