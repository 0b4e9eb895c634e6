package dev.sortie.parallel.mesh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.EnumSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("any-kernels")
class MeshContractTest {

  @Test
  void theGroupsOfAMeshOfEightAreTheOnesWrittenByHand() {
    Mesh mesh = new Mesh(2, 2, 2);
    assertThat(groups(mesh, Axis.TP))
        .containsExactly(ranks(0, 1), ranks(2, 3), ranks(4, 5), ranks(6, 7));
    assertThat(groups(mesh, Axis.DP))
        .containsExactly(ranks(0, 2), ranks(1, 3), ranks(4, 6), ranks(5, 7));
    assertThat(groups(mesh, Axis.PP))
        .containsExactly(ranks(0, 4), ranks(1, 5), ranks(2, 6), ranks(3, 7));
  }

  @ParameterizedTest
  @CsvSource({"1,1,1", "2,1,2", "3,2,4", "1,5,2", "2,2,2"})
  void ranksAndCoordinatesAreInverseAndTpIsFastest(int tp, int dp, int pp) {
    Mesh mesh = new Mesh(tp, dp, pp);
    int next = 0;
    for (int l = 0; l < pp; l++) {
      for (int k = 0; k < dp; k++) {
        for (int i = 0; i < tp; i++) {
          Coordinates at = new Coordinates(i, k, l);
          assertThat(mesh.rank(at)).isEqualTo(new GlobalRank(next));
          assertThat(mesh.coordinates(new GlobalRank(next))).isEqualTo(at);
          next++;
        }
      }
    }
    assertThat(mesh.world()).isEqualTo(next);
  }

  @ParameterizedTest
  @CsvSource({"2,1,2", "3,2,4", "1,5,2", "2,2,2"})
  void groupsAlongAnAxisHoldEachRankOnceAndDifferInThatAxisAlone(int tp, int dp, int pp) {
    Mesh mesh = new Mesh(tp, dp, pp);
    for (Axis axis : Axis.values()) {
      List<Group> groups = groups(mesh, axis);
      assertThat(groups.stream().flatMap(group -> group.ranks().stream()))
          .containsExactlyInAnyOrderElementsOf(
              IntStream.range(0, mesh.world()).mapToObj(GlobalRank::new).toList());
      for (Group group : groups) {
        assertThat(group.size()).isEqualTo(mesh.size(axis));
        for (GlobalRank member : group.ranks()) {
          for (Axis still : EnumSet.complementOf(EnumSet.of(axis))) {
            assertThat(mesh.coordinates(member).on(still))
                .isEqualTo(mesh.coordinates(group.ranks().getFirst()).on(still));
          }
        }
      }
    }
  }

  @Test
  void aGroupKnowsThePositionsOfItsMembers() {
    Mesh mesh = new Mesh(2, 1, 3);
    Group stages = mesh.group(Axis.PP, new GlobalRank(3));
    assertThat(stages).isEqualTo(ranks(1, 3, 5));
    assertThat(stages.positionOf(new GlobalRank(5))).hasValue(2);
    assertThat(stages.positionOf(new GlobalRank(4))).isEmpty();
  }

  @Test
  void wrongSizesAndRanksAreNamed() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Mesh(2, 0, 1))
        .withMessageContaining("dp 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Mesh(1 << 16, 1 << 16, 1))
        .withMessageContaining("too large");
    Mesh mesh = new Mesh(2, 2, 1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> mesh.coordinates(new GlobalRank(4)))
        .withMessageContaining("rank 4");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> mesh.rank(new Coordinates(0, 2, 0)))
        .withMessageContaining("axis DP");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new GlobalRank(-1))
        .withMessageContaining("-1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ranks(1, 0))
        .withMessageContaining("ascend");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Group(List.of()))
        .withMessageContaining("at least one");
  }

  private static Group ranks(int... values) {
    return new Group(IntStream.of(values).mapToObj(GlobalRank::new).toList());
  }

  /** The different groups of all ranks. */
  private static List<Group> groups(Mesh mesh, Axis axis) {
    return IntStream.range(0, mesh.world())
        .mapToObj(rank -> mesh.group(axis, new GlobalRank(rank)))
        .distinct()
        .toList();
  }
}
