package dev.sortie.parallel.comm.group;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("any-kernels")
class GroupCommunicatorContractTest {
  private static Group group(int... ranks) {
    return new Group(IntStream.of(ranks).mapToObj(GlobalRank::new).toList());
  }

  /** A transport of two ranks; its streams are counted, and end the job when they are used. */
  private static final class CountingTransport implements Transport {
    private final int most;
    private int opened;
    private int closed;

    CountingTransport(int most) {
      this.most = most;
    }

    private static CommException lost() {
      return new CommException(CommException.Kind.LOST_RANK, "rank 1 is gone");
    }

    @Override
    public String name() {
      return "counting";
    }

    @Override
    public GlobalRank rank() {
      return new GlobalRank(0);
    }

    @Override
    public int world() {
      return 2;
    }

    @Override
    public int neighbours() {
      return 2;
    }

    @Override
    public Endpoint open(String id, Group group, Duration deadline) {
      if (opened == most) {
        throw lost();
      }
      opened++;
      return new Endpoint() {
        @Override
        public long send(int to, MemorySegment from, long at) {
          throw lost();
        }

        @Override
        public long receive(int from, MemorySegment into, long at) {
          throw lost();
        }

        @Override
        public boolean hasLeft(int peer) {
          return false;
        }

        @Override
        public void close() {
          closed++;
        }
      };
    }

    @Override
    public void fail(Failure failure) {
      // it is seen by the exceptions
    }

    @Override
    public Optional<Failure> failure() {
      return Optional.empty();
    }

    @Override
    public void close() {
      // nothing is held
    }
  }

  /** The second stream is not opened, or the links cannot be measured. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void whatIsOpenIsClosedWhereTheRestFails(int most) {
    CountingTransport transport = new CountingTransport(most);
    assertThatThrownBy(() -> GroupCommunicator.over(transport, CommOptions.defaults()))
        .isInstanceOf(CommException.class)
        .hasMessageStartingWith("rank 1 is gone");
    assertThat(transport.opened).isEqualTo(most);
    assertThat(transport.closed).isEqualTo(most);
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
