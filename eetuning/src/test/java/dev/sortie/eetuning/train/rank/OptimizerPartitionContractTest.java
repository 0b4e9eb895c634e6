package dev.sortie.eetuning.train.rank;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.train.TinyRanks;
import dev.sortie.nn.Sharding;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every row is one replica's, and reaches the others; also where there are fewer rows than them.
 */
class OptimizerPartitionContractTest {
  private static final List<Shape> SHAPES =
      List.of(Shape.of(7, 5), Shape.of(2, 3), Shape.of(1), Shape.of(12));

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void whatOneReplicaChangesAllHaveAfterTheExchange(int replicas) throws Exception {
    List<List<float[]>> all =
        TinyRanks.run(
            new Mesh(1, replicas, 1),
            TinyRanks.Joining.THREADS,
            OptimizerPartitionContractTest::changed);
    long sum = 0;
    for (int s = 0; s < SHAPES.size(); s++) {
      float[] first = all.getFirst().get(s);
      for (List<float[]> other : all) {
        assertThat(other.get(s)).isEqualTo(first);
      }
      int length = first.length;
      assertThat(first).doesNotContain(0);
      int rows = (int) SHAPES.get(s).dim(0);
      // replica r wrote r + 1 into its rows: as many of each as rows allow, none lost
      for (int r = 0; r < replicas; r++) {
        int mine = 0;
        for (float x : first) {
          mine += x == r + 1 ? 1 : 0;
        }
        int least = rows / replicas * (length / rows);
        assertThat(mine).isBetween(least, least + length / rows);
        sum += mine;
      }
    }
    assertThat(sum).isEqualTo(35 + 6 + 1 + 12);
  }

  private static List<float[]> changed(ProcessGroups groups) {
    try (groups;
        NativeArena arena = new NativeArena("test")) {
      SequencedMap<String, Tensor> parameters = new LinkedHashMap<>();
      for (Shape shape : SHAPES) {
        parameters.put("p" + parameters.size(), Tensor.allocate(arena, DType.F32, shape));
      }
      OptimizerPartition rows = new OptimizerPartition(groups, parameters, Sharding.NONE);
      for (Tensor mine : rows.mine().values()) {
        for (long i = 0; i < mine.span().length(); i++) {
          mine.span().set(i, groups.coordinates().dp() + 1);
        }
      }
      rows.startExchange();
      rows.awaitExchange();
      List<float[]> found = parameters.values().stream().map(Tensor::toFloats).toList();
      groups.barrier(); // another may still read what this one gives
      return found;
    }
  }
}
