package dev.sortie.parallel.comm.transport.hierarchical;

import static java.lang.System.Logger.Level.WARNING;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.comm.transport.shm.SharedMemoryTransport;
import dev.sortie.parallel.comm.transport.tcp.TcpTransport;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Shared memory between the ranks of a host, TCP between hosts. Hosts are discovered: ranks tell
 * each other their host's identity over TCP, those with the same one try to map a file together,
 * and it is used if all of them could. Sums do not depend on it: the same algorithms run over
 * either kind of stream.
 */
public final class HierarchicalTransport implements Transport {
  private static final Duration MAPPING = Duration.ofSeconds(5);
  private static final System.Logger LOG = System.getLogger(HierarchicalTransport.class.getName());

  private final TcpTransport tcp;
  private final SharedMemoryTransport memory;
  private final Set<GlobalRank> here;

  private HierarchicalTransport(
      TcpTransport tcp, SharedMemoryTransport memory, List<GlobalRank> here) {
    this.tcp = tcp;
    this.memory = memory;
    this.here = Set.copyOf(here);
  }

  /**
   * Joins a job; returns when all ranks are there. Plain TCP if no two ranks can share memory.
   *
   * @param folder for shared files; see {@link SharedMemoryTransport#folder()}
   * @param host this rank's; see {@link HostIdentity#of}
   * @throws CommException as {@link TcpTransport#join}
   */
  public static Transport join(TcpTransport.Options options, Path folder, HostIdentity host) {
    TcpTransport tcp = TcpTransport.join(options);
    SharedMemoryTransport memory = null;
    try {
      Group all = new Group(IntStream.range(0, options.world()).mapToObj(GlobalRank::new).toList());
      try (Endpoint endpoint = tcp.open("hosts", all, options.joining())) {
        BootstrapAllGather exchange = new BootstrapAllGather(tcp, endpoint, options);
        byte[][] hosts = exchange.run(host.digest());
        List<GlobalRank> here = new ArrayList<>();
        for (int rank = 0; rank < hosts.length; rank++) {
          if (Arrays.equals(hosts[rank], hosts[options.rank()])) {
            here.add(new GlobalRank(rank));
          }
        }
        memory = here.size() == 1 ? null : map(options, folder, here);
        byte[][] votes = exchange.run(new byte[] {(byte) (memory == null ? 0 : 1)});
        if (memory != null && here.stream().allMatch(r -> votes[r.value()][0] == 1)) {
          return new HierarchicalTransport(tcp, memory, here);
        }
      }
      if (memory != null) {
        memory.close();
      }
      return tcp;
    } catch (RuntimeException | Error e) {
      if (memory != null) {
        memory.close();
      }
      tcp.close();
      throw e;
    }
  }

  /** The ranks of this host in common memory, or null. */
  private static SharedMemoryTransport map(
      TcpTransport.Options options, Path folder, List<GlobalRank> here) {
    String secret = HexFormat.of().formatHex(options.secret());
    String text = "host %d %s %s".formatted(options.generation(), here.getFirst(), secret);
    String job = HexFormat.of().formatHex(HostIdentity.sha256(text), 0, 16);
    int place = here.indexOf(new GlobalRank(options.rank()));
    try {
      return SharedMemoryTransport.join(
          new SharedMemoryTransport.Options(
              folder, job, place, here.size(), MAPPING, options.silence()),
          here);
    } catch (CommException e) {
      LOG.log(
          WARNING,
          "ranks {0} are on one host but talk over TCP: {1}",
          here.stream().map(GlobalRank::value).toList(),
          e.getMessage());
      return null;
    }
  }

  @Override
  public String name() {
    return "shared memory and " + tcp.name();
  }

  @Override
  public GlobalRank rank() {
    return tcp.rank();
  }

  @Override
  public int world() {
    return tcp.world();
  }

  @Override
  public int neighbours() {
    return here.size();
  }

  @Override
  public Endpoint open(String id, Group group, Duration deadline) {
    List<GlobalRank> near = group.ranks().stream().filter(here::contains).toList();
    if (near.size() == group.size()) {
      return memory.open(id, group, deadline);
    }
    if (near.size() == 1) {
      return tcp.open(id, group, deadline);
    }
    Group part = new Group(near);
    Endpoint inside = memory.open(id + "h", part, deadline);
    return new MixedEndpoint(
        group, part, inside, tcp.open(id, group, deadline, new HashSet<>(near)));
  }

  @Override
  public void fail(Failure failure) {
    memory.fail(failure);
    tcp.fail(failure);
  }

  /** A failure that one of the two has seen is passed on to the ranks of the other one. */
  @Override
  public Optional<Failure> failure() {
    Optional<Failure> far = tcp.failure();
    Optional<Failure> near = memory.failure();
    if (far.isPresent() != near.isPresent()) {
      fail(far.or(() -> near).get());
    }
    return far.isPresent() ? far : near;
  }

  @Override
  public void close() {
    memory.close();
    tcp.close();
  }

  /** Streams to the members on this host through memory, to the others over TCP. */
  private static final class MixedEndpoint implements Endpoint {
    private final Endpoint memory;
    private final Endpoint tcp;
    private final int[] inside;

    MixedEndpoint(Group group, Group part, Endpoint memory, Endpoint tcp) {
      this.memory = memory;
      this.tcp = tcp;
      this.inside = group.ranks().stream().mapToInt(r -> part.positionOf(r).orElse(-1)).toArray();
    }

    @Override
    public long send(int to, MemorySegment from, long at) {
      return inside[to] >= 0 ? memory.send(inside[to], from, at) : tcp.send(to, from, at);
    }

    @Override
    public long sendFirst(int to, MemorySegment from, long at) {
      return inside[to] >= 0 ? memory.sendFirst(inside[to], from, at) : tcp.sendFirst(to, from, at);
    }

    @Override
    public long receive(int from, MemorySegment into, long at) {
      return inside[from] >= 0
          ? memory.receive(inside[from], into, at)
          : tcp.receive(from, into, at);
    }

    @Override
    public boolean hasLeft(int peer) {
      return inside[peer] >= 0 ? memory.hasLeft(inside[peer]) : tcp.hasLeft(peer);
    }

    @Override
    public void close() {
      memory.close();
      tcp.close();
    }
  }
}
