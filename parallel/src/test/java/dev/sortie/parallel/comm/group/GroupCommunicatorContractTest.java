package dev.sortie.parallel.comm.group;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-kernels")
class GroupCommunicatorContractTest {
  private static Group group(int... ranks) {
    return new Group(IntStream.of(ranks).mapToObj(GlobalRank::new).toList());
  }

  /** Groups of other ranks, too, such as those whose hash codes are equal. */
  @Test
  void noTwoGroupsOfAJobHaveOneName() {
    List<Group> groups =
        List.of(group(0, 33), group(1, 2), group(1, 33), group(2, 2 + 31), group(3));
    Set<String> names = new TreeSet<>();
    for (String whole : List.of("w", GroupCommunicator.name("w", group(0, 33), 1))) {
      for (Group group : groups) {
        names.add(GroupCommunicator.name(whole, group, 1));
        names.add(GroupCommunicator.name(whole, group, 2));
      }
    }
    assertThat(names).hasSize(2 * groups.size() * 2);
  }

  /** Transports refuse names that are long. */
  @Test
  void namesOfLargeGroupsAndOfPartsOfPartsAreShort() {
    Group large = group(IntStream.range(0, 1000).toArray());
    String name = "w";
    for (int depth = 0; depth < 100; depth++) {
      name = GroupCommunicator.name(name, large, 1);
    }
    assertThat(name).matches("[a-z0-9.]{1,40}");
  }
}
