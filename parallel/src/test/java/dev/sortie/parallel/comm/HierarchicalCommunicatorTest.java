package dev.sortie.parallel.comm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.comm.transport.hierarchical.HierarchicalTransport;
import dev.sortie.parallel.comm.transport.hierarchical.HostIdentity;
import dev.sortie.parallel.comm.transport.tcp.TcpTransport;
import dev.sortie.parallel.mesh.Group;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several hosts on this one: odd worlds deal their ranks out in turn, even ones in two halves. */
@Tag("any-kernels")
@Tag("slow")
class HierarchicalCommunicatorTest extends CommunicatorContract {
  @TempDir Path folder;
  private InetSocketAddress master;

  @Override
  Job.Joining job(int ranks) throws IOException {
    master = Ports.free();
    InetSocketAddress here = master;
    return rank -> join(here, rank, ranks, host(rank, ranks), folder);
  }

  private static HostIdentity host(int rank, int ranks) {
    return new HostIdentity("host " + (ranks % 2 == 1 ? rank % 2 : 2 * rank / ranks));
  }

  private static Transport join(
      InetSocketAddress master, int rank, int ranks, HostIdentity host, Path folder) {
    return HierarchicalTransport.join(
        new TcpTransport.Options(
            master,
            rank,
            ranks,
            FaultyRank.SECRET,
            0,
            Duration.ofSeconds(10),
            Duration.ofSeconds(5)),
        folder,
        host);
  }

  @Override
  boolean hasSharedMemory() {
    return false; // not all of them
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
    if (master != null) {
      Ports.awaitFree(master);
    }
  }

  @Test
  void ranksOfOneHostShareMemoryAndGroupsWithinAHostReadEachOthers() throws Exception {
    master = Ports.free();
    List<String> names = new CopyOnWriteArrayList<>();
    Job.run(
        4,
        rank -> {
          Transport transport = join(master, rank, 4, host(rank, 4), folder);
          names.add(transport.name() + " with " + transport.neighbours());
          return transport;
        },
        OPTIONS,
        c -> {
          int half = c.position() / 2 * 2;
          Group group = new Group(c.group().ranks().subList(half, half + 2));
          try (Communicator near = c.split(group)) {
            LeftFold.check(near, ElementType.F32, 3001, true);
            assertThat(near.allocate(64).byteSize()).isEqualTo(64);
          }
        });
    assertThat(names).hasSize(4).containsOnly("shared memory and TCP with 2");
  }

  @Test
  void hostsThatOnlySeemToBeOneTalkOverTcp(@TempDir Path other) throws Exception {
    master = Ports.free();
    List<String> names = new CopyOnWriteArrayList<>();
    Job.run(
        2,
        rank -> {
          Path own = rank == 0 ? folder : other;
          Transport transport = join(master, rank, 2, new HostIdentity("the same"), own);
          names.add(transport.name());
          return transport;
        },
        OPTIONS.withDeadline(Duration.ofSeconds(30)),
        c -> new Exactness(c, ElementType.F32, Order.ASCENDING).all(1001));
    assertThat(names).containsExactly("TCP", "TCP");
    try (Stream<Path> files = Files.list(other)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void aRankThatIsLostOnOneHostIsNamedOnAll() throws Exception {
    List<Throwable> failures =
        Job.failures(
            5,
            job(5),
            OPTIONS,
            c -> {
              if (c.position() != 3) {
                FaultyRank.call(c, 7, Integer.MAX_VALUE);
              }
            });
    assertThat(failures.get(3)).isNull();
    failures.remove(3);
    assertThat(failures)
        .allSatisfy(
            e -> assertThat(e).isInstanceOf(CommException.class).hasMessageContaining("rank 3"));
  }
}
