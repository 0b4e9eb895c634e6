package dev.sortie.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jocl.CL.*;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_kernel;
import org.jocl.cl_mem;
import org.jocl.cl_program;
import org.junit.jupiter.api.Test;

/**
 * A driver compiles kernels while threads of Java are stopped for the garbage collector. The JVM
 * stops them by a signal (SIGSEGV), whose handler a compiler in the same process may replace.
 */
@NeedsDevice
class SignalsContractTest {
  private static final int PROGRAMS = 8;
  private static final int ITEMS = 64;

  /** Without the JVM's handlers this test does not fail: the JVM ends with "Segmentation fault". */
  @Test
  void compilingKernelsLeavesTheJvmItsSignals() throws InterruptedException {
    AtomicBoolean done = new AtomicBoolean();
    LongAdder rounds = new LongAdder();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      threads.add(Thread.ofPlatform().start(() -> count(done, rounds)));
    }
    threads.add(
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!done.get()) {
                    System.gc();
                  }
                }));
    try (ClSession session = new ClSession(ClPlatforms.ask().devices().getFirst())) {
      for (int i = 0; i < PROGRAMS; i++) {
        // A number of this moment, so that no cache knows the program.
        int value = (int) (System.nanoTime() % 1_000_000);
        assertThat(filled(session, value)).containsOnly(value);
      }
    } finally {
      done.set(true);
      for (Thread thread : threads) {
        thread.join();
      }
    }
    assertThat(rounds.sum()).isPositive();
  }

  private static void count(AtomicBoolean done, LongAdder rounds) {
    while (!done.get()) {
      long sum = 0;
      for (long i = 0; i < 100_000_000L; i++) {
        sum += i * i ^ sum;
      }
      rounds.add(sum == 0 ? 2 : 1);
    }
  }

  private static int[] filled(ClSession session, int value) {
    String source =
        "kernel void fill(global int *x) { x[get_global_id(0)] = %d; }".formatted(value);
    int[] x = new int[ITEMS];
    cl_mem buffer = session.allocate(ITEMS * Integer.BYTES);
    cl_program program =
        clCreateProgramWithSource(session.context(), 1, new String[] {source}, null, null);
    clBuildProgram(program, 0, null, null, null, null);
    cl_kernel kernel = clCreateKernel(program, "fill", null);
    clSetKernelArg(kernel, 0, Sizeof.cl_mem, Pointer.to(buffer));
    clEnqueueNDRangeKernel(
        session.queue(), kernel, 1, null, new long[] {ITEMS}, null, 0, null, null);
    clEnqueueReadBuffer(
        session.queue(), buffer, true, 0, ITEMS * Integer.BYTES, Pointer.to(x), 0, null, null);
    clReleaseKernel(kernel);
    clReleaseProgram(program);
    session.release(buffer);
    return x;
  }
}
