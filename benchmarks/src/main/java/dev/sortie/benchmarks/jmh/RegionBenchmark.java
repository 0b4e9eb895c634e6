package dev.sortie.benchmarks.jmh;

import dev.sortie.tensor.concurrent.WorkerPool;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** An empty parallel region: what sharing work among threads costs at least. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class RegionBenchmark {
  /** Threads, the caller counted. */
  @Param({"1", "2"})
  public int threads;

  private WorkerPool pool;

  /** For JMH. */
  public RegionBenchmark() {}

  /** Starts the threads. */
  @Setup
  public void open() {
    pool = new WorkerPool(threads);
  }

  /** Ends them. */
  @TearDown
  public void close() {
    pool.close();
  }

  /** Wakes all threads, lets them do nothing, waits for them. */
  @Benchmark
  public void emptyRegion() {
    pool.run((thread, all) -> {});
  }
}
