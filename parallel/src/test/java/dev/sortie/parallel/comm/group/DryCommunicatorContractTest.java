package dev.sortie.parallel.comm.group;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.mesh.Axis;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import dev.sortie.parallel.mesh.Mesh;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A member whose group does not exist never waits, moves nothing, and refuses wrong calls. */
class DryCommunicatorContractTest {
  private static final Group GROUP =
      new Group(List.of(new GlobalRank(1), new GlobalRank(4), new GlobalRank(7)));

  @Test
  void callsEndAtOnceAndLeaveTheDataAlone() {
    try (Communicator c = new DryCommunicator(GROUP, new GlobalRank(4));
        Arena arena = Arena.ofShared()) {
      assertThat(c.position()).isEqualTo(1);
      MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_LONG, 3, 5, 7);
      Elements all = new Elements(ElementType.I64, memory);
      c.barrier();
      c.broadcast(all, 2);
      c.allReduce(all);
      c.allGather(all.slice(0, 1), all);
      c.reduceScatter(all, all.slice(1, 1));
      c.startReceive(all, 0).await();
      c.receive(all, 0);
      c.send(all, 2);
      assertThat(c.startSend(all, 2).isDone()).isTrue();
      assertThat(memory.toArray(ValueLayout.JAVA_LONG)).containsExactly(3, 5, 7);
      assertThat(c.allocate(10).byteSize()).isEqualTo(10);
    }
  }

  @Test
  void aPartOfTheGroupIsOneToo() {
    Mesh mesh = new Mesh(2, 1, 2);
    GlobalRank rank = new GlobalRank(3);
    try (Communicator world = new DryCommunicator(new Group(ranks(4)), rank);
        Communicator stages = world.split(mesh.group(Axis.PP, rank))) {
      assertThat(stages.group().ranks()).containsExactly(new GlobalRank(1), rank);
      assertThat(stages.position()).isEqualTo(1);
    }
  }

  private static List<GlobalRank> ranks(int count) {
    return java.util.stream.IntStream.range(0, count).mapToObj(GlobalRank::new).toList();
  }

  @Test
  void wrongCallsAreRefused() {
    try (Communicator c = new DryCommunicator(GROUP, new GlobalRank(7));
        Arena arena = Arena.ofShared()) {
      Elements two = new Elements(ElementType.I64, arena.allocate(16));
      assertThatThrownBy(() -> c.broadcast(two, 3)).hasMessageContaining("root");
      assertThatThrownBy(() -> c.allGather(two, two)).hasMessageContaining("3 members");
      assertThatThrownBy(() -> c.send(two, 2)).hasMessageContaining("position 2");
    }
    assertThatThrownBy(() -> new DryCommunicator(GROUP, new GlobalRank(0)))
        .hasMessageContaining("rank 0");
  }
}
