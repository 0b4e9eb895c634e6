package dev.sortie.tensor.dtype;

import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The integers of a block, put together again, are the elements that {@link Blocks} decodes. */
class QuantaContractTest {
  static List<DType> types() {
    return Stream.of(DType.values()).filter(Quanta::has).toList();
  }

  @ParameterizedTest
  @MethodSource("types")
  void integersStandForTheElements(DType type) {
    Random random = new Random(4);
    byte[] bytes = new byte[type.blockBytes()];
    float[] decoded = new float[type.block()];
    Quanta quanta = new Quanta(type);
    int centre =
        switch (type) {
          case Q4_0 -> 8;
          case Q5_0 -> 16;
          case Q8_0, IQ4_NL, IQ4_XS -> 128;
          case Q3_K -> 4;
          case Q6_K -> 32;
          default -> 0;
        };
    for (int round = 0; round < 20; round++) {
      random.nextBytes(bytes);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment block = arena.allocate(bytes.length);
        block.copyFrom(MemorySegment.ofArray(bytes));
        for (int scale : Blocks.scales(type)) {
          block.set(
              JAVA_SHORT_UNALIGNED, scale, Float.floatToFloat16((float) random.nextGaussian()));
        }
        Blocks.decode(type, block, 0, decoded, 0);
        quanta.read(block, 0);
      }
      int group = type.block() / quanta.scales.length;
      for (int i = 0; i < type.block(); i++) {
        int level = quanta.level(i) - centre;
        double scale = Float.float16ToFloat(quanta.d) * quanta.scales[i / group];
        double min = Float.float16ToFloat(quanta.dmin) * quanta.mins[i / group];
        assertThat((float) (scale * level - min)).as("element %d", i).isEqualTo(decoded[i]);
      }
    }
  }
}
