package dev.sortie.nn.text.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-kernels")
class PermutationContractTest {

  @Test
  void eachIndexComesOnce() {
    for (int size = 1; size <= 300; size++) {
      Permutation permutation = new Permutation(size, Permutation.key(size, 1));
      BitSet seen = new BitSet();
      for (int i = 0; i < size; i++) {
        seen.set((int) permutation.at(i));
      }
      assertThat(seen.cardinality()).isEqualTo(size);
      assertThat(seen.length()).isEqualTo(size);
    }
  }

  @Test
  void positionsAndIndicesAreUnrelated() {
    int size = 101;
    int keys = 2000;
    int[][] counts = new int[size][size];
    for (int key = 0; key < keys; key++) {
      Permutation permutation = new Permutation(size, Permutation.key(4, key));
      for (int i = 0; i < size; i++) {
        counts[i][(int) permutation.at(i)]++;
      }
    }
    double chiSquare = 0;
    double expected = (double) keys / size;
    for (int[] row : counts) {
      for (int count : row) {
        chiSquare += (count - expected) * (count - expected) / expected;
      }
    }
    // Mean (size-1)^2 = 10000, standard deviation 141: five of them on each side.
    assertThat(chiSquare).isBetween(9300.0, 10700.0);
  }

  @Test
  void sizesWithoutMemoryWork() {
    Permutation permutation = new Permutation(1L << 40, 9);
    assertThat(permutation.at(0)).isNotEqualTo(permutation.at(1)).isBetween(0L, (1L << 40) - 1);
    assertThatThrownBy(() -> permutation.at(1L << 40))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> new Permutation(0, 9)).isInstanceOf(IllegalArgumentException.class);
  }
}
