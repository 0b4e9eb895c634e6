package dev.sortie.eetuning.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.train.ShardedTensor;
import dev.sortie.nn.InputException;
import dev.sortie.nn.Slice;
import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.parallel.shard.ShardRange;
import dev.sortie.parallel.shard.TensorShard;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A checkpoint's elements are found whatever files they are in, and each must be in just one. */
class ShardReaderContractTest {
  private static final Shape WHOLE = Shape.of(7, 6);

  @TempDir Path folder;

  private static Tensor part(NativeArena arena, Slice part) {
    Shape shape = part.of(WHOLE);
    Tensor t = Tensor.allocate(arena, DType.F32, shape);
    for (long r = 0; r < shape.dim(0); r++) {
      for (long c = 0; c < shape.dim(1); c++) {
        long row = r + (part.dim() == 0 ? part.from() : 0);
        long column = c + (part.dim() == 1 ? part.from() : 0);
        t.span().set(r * shape.dim(1) + c, 10 * row + column);
      }
    }
    return t;
  }

  private static Slice share(int dim, int ranks, int rank) {
    ShardRange share = ShardRange.of(WHOLE.dim(dim), ranks, rank);
    return new Slice(dim, share.from(), share.count());
  }

  private static ShardedTensor state(Tensor tensor, Slice part) {
    return new ShardedTensor(tensor, new TensorShard(WHOLE, Optional.of(part), true));
  }

  private List<String> write(NativeArena arena, List<Slice> parts) {
    return IntStream.range(0, parts.size())
        .mapToObj(
            i -> {
              String name = CheckpointNames.ofShard(i, parts.size());
              ShardedTensor one = state(part(arena, parts.get(i)), parts.get(i));
              ShardWriter.write(folder.resolve(name), Map.of("w", one), () -> {});
              return name;
            })
        .toList();
  }

  @ParameterizedTest
  @CsvSource({"0, 1, 1", "0, 3, 1", "0, 1, 3", "0, 3, 2", "1, 2, 4", "1, 4, 1", "1, 3, 3"})
  void anyCutIsReadAsAnyOther(int dim, int writers, int readers) {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test")) {
      List<Slice> cut = IntStream.range(0, writers).mapToObj(r -> share(dim, writers, r)).toList();
      try (ShardReader shards = new ShardReader(folder, write(arena, cut))) {
        for (int r = 0; r < readers; r++) {
          Slice mine = share(dim, readers, r);
          Tensor found = Tensor.allocate(arena, DType.F32, mine.of(WHOLE));
          shards.restore(Map.of("w", state(found, mine)), device.kernels());
          assertThat(found.toFloats()).isEqualTo(part(arena, mine).toFloats());
        }
      }
    }
  }

  @Test
  void partsAlongOneDimAreReadAlongTheOther() {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test")) {
      List<Slice> cut = List.of(share(1, 2, 0), share(1, 2, 1));
      try (ShardReader shards = new ShardReader(folder, write(arena, cut))) {
        Slice mine = share(0, 3, 1);
        Tensor found = Tensor.allocate(arena, DType.F32, mine.of(WHOLE));
        shards.restore(Map.of("w", state(found, mine)), device.kernels());
        assertThat(found.toFloats()).isEqualTo(part(arena, mine).toFloats());
      }
    }
  }

  @Test
  void aTensorInOneFileIsReadInParts() {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test")) {
      Tensor all = part(arena, new Slice(0, 0, 7));
      ShardWriter.write(
          folder.resolve("state.safetensors"), Map.of("w", ShardedTensor.all(all)), () -> {});
      try (ShardReader shards = new ShardReader(folder, List.of("state.safetensors"))) {
        Slice mine = share(1, 4, 2);
        Tensor found = Tensor.allocate(arena, DType.F32, mine.of(WHOLE));
        shards.restore(Map.of("w", state(found, mine)), device.kernels());
        assertThat(found.toFloats()).isEqualTo(part(arena, mine).toFloats());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, 3, 4, 3, elements 3 to 4 of dim 0 are in no file",
    "0, 4, 3, 4, elements 3 to 4 of dim 0 are in two files",
    "0, 3, 3, 3, elements 6 to 7 of dim 0 are in no file",
    "1, 3, 4, 3, elements 0 to 1 of dim 0 are in no file"
  })
  void gapsAndOverlapsAreNamed(long first, long count, long second, long rest, String fault) {
    try (NativeArena arena = new NativeArena("test")) {
      List<String> names =
          write(arena, List.of(new Slice(0, first, count), new Slice(0, second, rest)));
      assertThatThrownBy(() -> new ShardReader(folder, names))
          .isInstanceOf(InputException.class)
          .hasMessageContaining(folder.toString())
          .hasMessageContaining("tensor w: " + fault);
    }
  }

  @Test
  void theSameTensorInTwoFilesAndPartsAlongOtherDimsAreRefused() {
    try (NativeArena arena = new NativeArena("test")) {
      List<String> mixed = write(arena, List.of(new Slice(0, 0, 3), new Slice(1, 0, 6)));
      assertThatThrownBy(() -> new ShardReader(folder, mixed))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("tensor w is in parts that do not belong together");
      ShardedTensor all = ShardedTensor.all(part(arena, new Slice(0, 0, 7)));
      List<String> twice = List.of(CheckpointNames.ofShard(0, 2), CheckpointNames.ofShard(1, 2));
      twice.forEach(name -> ShardWriter.write(folder.resolve(name), Map.of("w", all), () -> {}));
      assertThatThrownBy(() -> new ShardReader(folder, twice))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("tensor w");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"[0, 5, 7]", "[2, 0, 7]", "[0, -1, 7]", "[0, 0]", "[\"a\", 0, 7]", "3"})
  void aDescriptionOfPartsThatCannotBeIsRefused(String numbers) {
    try (NativeArena arena = new NativeArena("test")) {
      Tensor t = part(arena, new Slice(0, 0, 3));
      new SafetensorsWriter()
          .metadata(ShardWriter.PARTS, "{\"w\":" + numbers + "}")
          .tensor("w", t.span(), t.shape().dims())
          .write(folder.resolve("state.safetensors"));
      assertThatThrownBy(() -> new ShardReader(folder, List.of("state.safetensors")))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("\"w\"");
    }
  }

  @Test
  void aStateOfAnotherShapeOrNameIsRefusedWithBoth() {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test")) {
      List<String> names = write(arena, List.of(new Slice(0, 0, 7)));
      try (ShardReader shards = new ShardReader(folder, names)) {
        ShardedTensor other = ShardedTensor.all(Tensor.allocate(arena, DType.F32, Shape.of(7, 5)));
        assertThatThrownBy(() -> shards.restore(Map.of("w", other), device.kernels()))
            .isInstanceOf(InputException.class)
            .hasMessageContaining("is F32 of shape [7, 6], this run needs F32 of shape [7, 5]");
        assertThatThrownBy(() -> shards.restore(Map.of("v", other), device.kernels()))
            .isInstanceOf(InputException.class)
            .hasMessageContaining("has no tensor v");
      }
    }
  }
}
