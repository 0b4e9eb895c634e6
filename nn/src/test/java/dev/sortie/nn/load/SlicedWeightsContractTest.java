package dev.sortie.nn.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Slice;
import dev.sortie.nn.SlicedWeights;
import dev.sortie.nn.Weights.Role;
import dev.sortie.nn.format.TensorInfo;
import dev.sortie.nn.format.WeightSource;
import dev.sortie.nn.model.RandomWeights;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A part of a weight has the numbers that the whole has there. */
class SlicedWeightsContractTest {
  private static final Shape WHOLE = Shape.of(6, 128);

  /** One matrix in memory, as a mapped file has it. */
  private record OneTensor(Span span) implements WeightSource {
    @Override
    public Path origin() {
      return Path.of("memory");
    }

    @Override
    public SequencedMap<String, TensorInfo> tensors() {
      SequencedMap<String, TensorInfo> map = new LinkedHashMap<>();
      map.put("w", new TensorInfo("w", span.dtype(), List.of(6L, 128L), origin(), 0));
      return map;
    }

    @Override
    public Span read(String name) {
      return span;
    }

    @Override
    public void close() {}
  }

  @ParameterizedTest
  @CsvSource({
    "F32, F32",
    "F32, BF16",
    "F32, FILE",
    "BF16, FILE",
    "F16, F32",
    "F16, FILE",
    "Q8_0, FILE",
    "Q8_0, F32",
    "Q4_1, FILE",
    "Q4_1, BF16"
  })
  void partsOfAFileHaveTheNumbersOfTheWhole(DType stored, Precision precision) {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test")) {
      OneTensor source = new OneTensor(matrix(device, arena, stored));
      FileWeights weights = new FileWeights(source, precision, arena, device.kernels());
      Tensor whole = weights.get("w", WHOLE, Role.INPUT_PROJECTION);
      same(weights, whole, new Slice(0, 2, 3));
      same(weights, whole, new Slice(0, 0, 6));
      same(weights, whole, new Slice(1, 32, 64));
      same(weights, whole, new Slice(1, 0, 128));
      if (precision != Precision.FILE || stored.block() == 1) {
        same(weights, whole, new Slice(1, 5, 70)); // cuts blocks, which are then taken apart
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"Q8_0", "Q4_1"})
  void cutBlocksAreRefusedWhereTheyWouldHaveToStay(DType stored) {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test")) {
      OneTensor source = new OneTensor(matrix(device, arena, stored));
      FileWeights weights = new FileWeights(source, Precision.FILE, arena, device.kernels());
      assertThatThrownBy(() -> weights.get("w", WHOLE, Role.INPUT_PROJECTION, new Slice(1, 16, 32)))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("tensor w is " + stored + " in blocks of 32")
          .hasMessageContaining("columns 16 to 48")
          .hasMessageContaining("f32 or bf16");
    }
  }

  /** A part of the rows takes no memory where the file is used in place, columns their own size. */
  @ParameterizedTest
  @CsvSource({"0, 0", "1, 1536"})
  void onlyThePartTakesMemory(int dim, long bytes) {
    try (Device device = Device.cpu(1);
        NativeArena file = new NativeArena("file");
        NativeArena arena = new NativeArena("test")) {
      OneTensor source = new OneTensor(matrix(device, file, DType.F32));
      FileWeights weights = new FileWeights(source, Precision.FILE, arena, device.kernels());
      weights.get("w", WHOLE, Role.OUTPUT_PROJECTION, new Slice(dim, 0, dim == 0 ? 3 : 64));
      assertThat(arena.bytes()).isEqualTo(bytes);
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 1, 2", "0, 0, 6", "1, 31, 50", "1, 0, 128"})
  void randomWeightsDependOnTheIndexInTheWhole(int dim, long from, long count) {
    try (NativeArena arena = new NativeArena("test")) {
      RandomWeights weights = new RandomWeights(new Random(9, 0), 0.02, 3, arena);
      for (Role role : new Role[] {Role.EMBEDDING, Role.INPUT_PROJECTION, Role.OUTPUT_PROJECTION}) {
        Tensor whole = weights.get("w", WHOLE, role);
        Slice part = new Slice(dim, from, count);
        same(weights.get("w", WHOLE, role, part), whole, part);
      }
    }
  }

  private static Span matrix(Device device, NativeArena arena, DType dtype) {
    Tensor t = Tensor.allocate(arena, DType.F32, WHOLE);
    Random random = new Random(3, 0);
    for (long i = 0; i < WHOLE.count(); i++) {
      t.span().set(i, random.normal(i));
    }
    Span span = arena.allocate(dtype, WHOLE.count()).span();
    device.kernels().copy(t.span(), span);
    return span;
  }

  private static void same(SlicedWeights weights, Tensor whole, Slice part) {
    same(weights.get("w", WHOLE, Role.INPUT_PROJECTION, part), whole, part);
  }

  private static void same(Tensor found, Tensor whole, Slice part) {
    assertThat(found.shape()).isEqualTo(part.of(WHOLE));
    assertThat(found.dtype()).isEqualTo(whole.dtype());
    long rows = found.shape().dim(0);
    long columns = found.shape().dim(1);
    for (long i = 0; i < rows * columns; i++) {
      long row = i / columns + (part.dim() == 0 ? part.from() : 0);
      long column = i % columns + (part.dim() == 1 ? part.from() : 0);
      assertThat(found.span().get(i)).isEqualTo(whole.span().get(row * 128 + column));
    }
  }
}
