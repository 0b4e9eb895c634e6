package dev.sortie.tensor.kernel;

import static dev.sortie.tensor.dtype.DType.BF16;
import static dev.sortie.tensor.dtype.DType.F32;
import static dev.sortie.tensor.dtype.DType.F64;
import static dev.sortie.tensor.dtype.DType.I32;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.KernelSets;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.tile.TileType;
import dev.sortie.tensor.kernel.tile.TiledProjection;
import dev.sortie.tensor.kernel.tile.TiledWeight;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Method;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The program that {@link SteadyStateAllocationContractTest} starts: spoils the profiles that
 * kernels share, by every kind of memory and flag, then counts the bytes that each kernel allocates
 * a call. Prints the kernels that allocate too much, one a line, and ends with 1 if there are any.
 */
final class AllocationRun {
  /** A few records and a lambda; one boxed vector a step of an inner loop makes megabytes. */
  private static final long BYTES_PER_CALL = 4096;

  private static final int CALLS = 50;

  static final String COMPILED = "compiled";

  /**
   * Nanoseconds of processor time since there were last fewer spoilt kernels: compiling takes long
   * on a busy machine; a kernel that is spoilt stays so for ever.
   */
  private static final long PATIENCE = 20_000_000_000L;

  private final NativeArena arena = new NativeArena("allocation test");
  private final Random random = new Random(11);
  private final Map<String, Runnable> calls = new LinkedHashMap<>();

  private AllocationRun() {}

  /**
   * The first argument is a folder for a file to map; with a second one, {@value #COMPILED}, each
   * kernel is run a few times so that it is compiled, and nothing is counted.
   */
  public static void main(String[] args) throws IOException, ReflectiveOperationException {
    AllocationRun run = new AllocationRun();
    if (args.length > 1 && args[1].equals(COMPILED)) {
      run.compile();
      return;
    }
    Map<String, Long> spoilt = run.run(Path.of(args[0]));
    spoilt.forEach((name, bytes) -> System.out.println(name + ": " + bytes + " bytes per call"));
    System.exit(spoilt.isEmpty() ? 0 : 1);
  }

  private void compile() {
    try (WorkerPool pool = new WorkerPool(1);
        arena) {
      Kernels kernels = KernelSets.choose(pool);
      add(kernels, kernels.name());
      for (int i = 0; i < 3; i++) {
        calls.values().forEach(Runnable::run);
      }
    }
  }

  private Map<String, Long> run(Path folder) throws IOException, ReflectiveOperationException {
    try (WorkerPool pool = new WorkerPool(1);
        arena) {
      Kernels kernels = KernelSets.choose(pool);
      polluteSegments(folder, species(kernels.name()));
      add(new ScalarKernels(), "scalar");
      calls.values().forEach(Runnable::run);
      calls.clear();
      add(kernels, kernels.name());
      return spoilt();
    }
  }

  /** Runs all until each keeps the bound in one round, or patience ends; what is left is spoilt. */
  private Map<String, Long> spoilt() throws ReflectiveOperationException {
    AllocatedBytes allocated = new AllocatedBytes();
    Map<String, Long> spoilt = new TreeMap<>();
    int fewest = calls.size() + 1;
    long since = spent();
    do {
      spoilt.clear();
      for (Map.Entry<String, Runnable> call : calls.entrySet()) {
        long before = allocated.ofThisThread();
        for (int i = 0; i < CALLS; i++) {
          call.getValue().run();
        }
        long bytes = (allocated.ofThisThread() - before) / CALLS;
        if (bytes > BYTES_PER_CALL) {
          spoilt.put(call.getKey(), bytes);
        }
      }
      if (spoilt.size() < fewest) {
        fewest = spoilt.size();
        since = spent();
      }
    } while (!spoilt.isEmpty() && spent() - since < PATIENCE);
    return spoilt;
  }

  /** Processor time of this process, or time where the system does not tell it. */
  private static long spent() {
    return ProcessHandle.current()
        .info()
        .totalCpuDuration()
        .map(Duration::toNanos)
        .orElseGet(System::nanoTime);
  }

  private void add(Kernels k, String set) {
    for (DType type : DType.values()) {
      if (type != F64 && type != I32) {
        addLinear(k, set, type, type.isQuantised() ? 512 : 80);
      }
    }
    for (boolean accumulate : new boolean[] {false, true}) {
      for (int mode = 0; mode < 4; mode++) {
        boolean transA = mode % 2 == 1;
        boolean transB = mode / 2 == 1;
        addGemm(k, set, transA, transB, 64, 96, 80, accumulate);
        addGemm(k, set, transA, transB, 37, 45, 83, accumulate);
        addGemm(k, set, transA, transB, 24, 40, 1100, accumulate);
        addGemm(k, set, transA, transB, 1, 200, 83, accumulate);
      }
    }
    addAttention(k, set, new AttentionShape(1, 48, 48, 6, 2, 32, 0.2), F32);
    addAttention(k, set, new AttentionShape(2, 1, 60, 4, 4, 64, 0.2), F32);
    addAttention(k, set, new AttentionShape(1, 20, 33, 4, 2, 24, 0.2), BF16);
    addAttention(k, set, new AttentionShape(1, 40, 90, 6, 2, 32, 0.2, 24), F32);
    addAttention(k, set, new AttentionShape(1, 4, 60, 4, 2, 64, 0.2, 24), F32);
    addAttention(k, set, new AttentionShape(1, 80, 80, 6, 2, 32, 0.2).withEarly(64), F32);
    addRows(k, set, 20, 192);
    addRows(k, set, 3, 77);
  }

  private void addLinear(Kernels k, String set, DType type, int d) {
    Span w = span(type, 96 * d);
    PackedWeight packed = k.pack(w, 96, d, arena);
    Span bias = span(F32, 96);
    for (int m : new int[] {1, 2, 3, 16, 64}) {
      Span x = span(F32, m * d);
      Span y = span(F32, m * 96);
      call(set + " linear " + type + " m=" + m, () -> k.linear(x, w, null, y, m, 96, d));
      call(set + " packed " + type + " m=" + m, () -> k.linear(x, packed, bias, y, m));
    }
    if (TileType.of(type).isPresent()) {
      TiledWeight tiles = k.tile(w, 96, d, arena);
      for (int m = 1; m <= 4; m++) {
        Span x = span(F32, m * d);
        List<TiledProjection> only = List.of(new TiledProjection(tiles, bias, span(F32, m * 96)));
        int rows = m;
        call(set + " tiled " + type + " m=" + m, () -> k.tiledLinears(x, only, rows, d));
      }
    }
    Span ids = arena.allocate(I32, 20).span();
    Span rows = span(F32, 20 * d);
    call(set + " gatherRows " + type, () -> k.gatherRows(w, ids, rows, 20, d));
  }

  private void addGemm(
      Kernels k, String set, boolean transA, boolean transB, int m, int n, int d, boolean add) {
    Span a = span(F32, m * d);
    Span b = span(F32, d * n);
    Span c = span(F32, m * n);
    String name = "%s gemm %b %b %dx%dx%d %b".formatted(set, transA, transB, m, n, d, add);
    call(name, () -> k.gemm(transA, transB, m, n, d, a, b, c, add));
  }

  private void addAttention(Kernels k, String set, AttentionShape s, DType cache) {
    int rows = s.batch() * s.queries() * s.heads();
    int keys = s.batch() * s.keys() * s.kvHeads() * s.headSize();
    Span q = span(F32, rows * s.headSize());
    Span key = span(cache, keys);
    Span value = span(cache, keys);
    Span out = span(F32, rows * s.headSize());
    Span lse = span(F32, rows);
    Span dout = span(F32, rows * s.headSize());
    Span dq = span(F32, rows * s.headSize());
    Span dk = span(F32, keys);
    Span dv = span(F32, keys);
    String name = set + " attention " + cache + " " + s;
    call(name, () -> k.attention(q, key, value, out, lse, s));
    if (s.batch() == 1 && s.queries() <= Kernels.ROW_STABLE) {
      long cut = (long) s.keys() / 3 * s.kvHeads() * s.headSize();
      List<Span> keyRuns = List.of(key.slice(0, cut), key.slice(cut, keys - cut));
      List<Span> valueRuns = List.of(value.slice(0, cut), value.slice(cut, keys - cut));
      call(name + " in runs", () -> k.attention(q, keyRuns, valueRuns, out, lse, s));
    }
    call(
        name + " backward",
        () -> k.attentionBackward(q, key, value, out, lse, dout, dq, dk, dv, s));
    Span zero = span(F32, s.kvHeads() * s.headSize());
    Span dzero = span(F32, s.kvHeads() * s.headSize());
    Span share = span(F32, rows);
    Span dlse = span(F32, rows);
    call(name + " zero token", () -> k.zeroToken(q, zero, out, lse, share, s));
    call(
        name + " zero token backward",
        () -> k.zeroTokenBackward(q, zero, out, share, dout, lse, dq, dzero, dlse, s));
  }

  private void addRows(Kernels k, String set, int rows, int cols) {
    String at = " " + rows + "x" + cols;
    int n = rows * cols;
    Span x = span(F32, n);
    Span w = span(F32, cols);
    Span y = span(F32, n);
    Span z = span(F32, n);
    Span dx = span(F32, n);
    Span dw = span(F32, cols);
    Span moment = span(F32, cols);
    Span square = arena.allocate(F32, cols).span();
    Span first = span(F32, rows);
    Span second = span(F32, rows);
    Span ids = arena.allocate(I32, rows).span();
    AdamWCall step = new AdamWCall(1e-9, 0.9, 0.999, 1e-8, 0.1, 1, 1, 1);
    call(set + " add" + at, () -> k.add(x, y, z));
    call(set + " sumRows" + at, () -> k.sumRows(x, dw, rows, cols));
    call(set + " rmsNorm" + at, () -> k.rmsNorm(x, w, 1e-5, y, first, rows, cols));
    call(
        set + " rmsNormBackward" + at, () -> k.rmsNormBackward(x, w, first, z, dx, dw, rows, cols));
    DropoutMask mask = new DropoutMask(3, 4, 6554, 5);
    call(set + " dropout" + at, () -> k.dropout(mask, x, y));
    call(set + " dropoutAdd" + at, () -> k.dropoutAdd(mask, z, y));
    call(set + " swiglu" + at, () -> k.swiglu(x, z, y));
    call(set + " swigluBackward" + at, () -> k.swigluBackward(x, z, y, dx, dx));
    call(set + " softmax" + at, () -> k.softmax(x, y, rows, cols));
    call(set + " crossEntropy" + at, () -> k.crossEntropy(x, ids, first, second, rows, cols));
    call(
        set + " crossEntropyBackward" + at,
        () -> k.crossEntropyBackward(x, ids, second, first, dx, rows, cols));
    Span logits = span(F32, n);
    call(
        set + " crossEntropyGradient" + at,
        () -> k.crossEntropyGradient(logits, ids, first, second, rows, cols, true));
    call(set + " logSoftmax" + at, () -> k.logSoftmax(y, z, rows, cols));
    call(
        set + " klGradient" + at,
        () -> k.klGradient(logits, y, z, first, second, rows, cols, false));
    call(set + " argmax" + at, () -> k.argmax(x, ids, second, rows, cols));
    call(set + " sumSquares" + at, () -> k.sumSquares(x));
    call(
        set + " adamW" + at,
        () -> k.adamW(List.of(new AdamWCall.Update(w, dw, moment, square, step))));
  }

  /** The JDK's count, by reflection, since the module under test does not read jdk.management. */
  private static final class AllocatedBytes {
    private final Object threads;
    private final Method bytes;

    AllocatedBytes() throws ReflectiveOperationException {
      threads =
          Class.forName("java.lang.management.ManagementFactory")
              .getMethod("getThreadMXBean")
              .invoke(null);
      bytes =
          Class.forName("com.sun.management.ThreadMXBean")
              .getMethod("getCurrentThreadAllocatedBytes");
    }

    long ofThisThread() throws ReflectiveOperationException {
      return (Long) bytes.invoke(threads);
    }
  }

  private void call(String name, Runnable call) {
    calls.put(name, call);
  }

  private Span span(DType type, int length) {
    Span span = arena.allocate(type, length).span();
    for (int i = 0; i < length && !type.isQuantised(); i++) {
      span.set(i, random.nextGaussian());
    }
    return span;
  }

  /** The width of a kernel set: one JVM uses no other for its floats. */
  private static VectorSpecies<Float> species(String kernels) {
    return switch (kernels) {
      case "simd512" -> FloatVector.SPECIES_512;
      case "simd256" -> FloatVector.SPECIES_256;
      default -> FloatVector.SPECIES_128;
    };
  }

  /** Reads and writes heap, mapped, confined, shared and sliced memory as floats and as vectors. */
  private void polluteSegments(Path folder, VectorSpecies<Float> species) throws IOException {
    Path file = Files.write(folder.resolve("weights.bin"), new byte[4096]);
    try (Arena confined = Arena.ofConfined();
        Arena shared = Arena.ofShared();
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      MemorySegment mapped = channel.map(MapMode.READ_WRITE, 0, 4096, shared);
      MemorySegment[] all = {
        MemorySegment.ofArray(new float[1024]),
        MemorySegment.ofArray(new byte[4096]),
        MemorySegment.ofArray(new double[512]),
        mapped,
        confined.allocate(4096),
        shared.allocate(4096),
        Arena.global().allocate(4096).asSlice(4, 4000)
      };
      Span weights = arena.wrap(F32, 1024, mapped).span();
      double sum = 0;
      for (int round = 0; round < 3000; round++) {
        for (MemorySegment s : all) {
          sum += touch(s, 4L * (round % 64), species);
        }
        sum += weights.get(round % 1024);
      }
      if (Double.isNaN(sum)) {
        throw new AssertionError("the memory holds NaN");
      }
    }
  }

  private static float touch(MemorySegment s, long at, VectorSpecies<Float> species) {
    ByteOrder order = ByteOrder.nativeOrder();
    FloatVector wide = FloatVector.fromMemorySegment(species, s, at, order);
    FloatVector narrow = FloatVector.fromMemorySegment(FloatVector.SPECIES_128, s, at, order);
    wide.fma(wide, wide).min(1f).intoMemorySegment(s, at, order);
    narrow.mul(narrow).min(1f).intoMemorySegment(s, at, order);
    s.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, 0.5f);
    s.set(ValueLayout.JAVA_SHORT_UNALIGNED, at + 8, (short) 1);
    return s.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at)
        + s.get(ValueLayout.JAVA_SHORT_UNALIGNED, at);
  }
}
