package dev.sortie.parallel.launch;

import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.comm.transport.hierarchical.HierarchicalTransport;
import dev.sortie.parallel.comm.transport.hierarchical.HostIdentity;
import dev.sortie.parallel.comm.transport.shm.SharedMemoryTransport;
import dev.sortie.parallel.comm.transport.shm.ThreadTransport;
import dev.sortie.parallel.comm.transport.tcp.TcpTransport;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.function.Function;

/** How a rank joins the others of its job. */
public final class Ranks {
  /** The variable that names a transport. */
  public static final String TRANSPORT = "SORTIE_TRANSPORT";

  private Ranks() {}

  /**
   * Joins the job that the environment describes, through what {@link #TRANSPORT} names: {@code
   * mpi}, {@code tcp}, or, where it is not set, what suits best.
   *
   * @throws InputException if the environment is wrong or MPI cannot be used
   * @throws dev.sortie.parallel.comm.CommException if the others do not come
   */
  public static Transport join(Map<String, String> environment) {
    String named = environment.getOrDefault(TRANSPORT, "").strip();
    return switch (named) {
      case "" -> join(RankEnvironment.read(environment));
      case "tcp" ->
          watched(RankEnvironment.read(environment), me -> TcpTransport.join(tcpOptions(me)));
      case "mpi" -> MpiRanks.join(environment);
      default ->
          throw new InputException(
              TRANSPORT + "=" + named + " is no transport; set it to mpi or tcp, or unset it");
    };
  }

  /**
   * Joins the job that the environment describes: through shared memory if all ranks are on this
   * machine, else over TCP between machines and through shared memory inside of each. Calls fail
   * once {@code sortie launch} has died, if it started this one.
   *
   * @throws dev.sortie.parallel.comm.CommException if the others do not come
   */
  public static Transport join(RankEnvironment me) {
    return watched(me, Ranks::joinOthers);
  }

  private static Transport watched(
      RankEnvironment me, Function<RankEnvironment, Transport> joining) {
    Transport transport = me.world() == 1 ? alone() : joining.apply(me);
    return me.launcher().isPresent()
        ? new LaunchedTransport(transport, me.launcher().getAsLong())
        : transport;
  }

  /** For one rank, which meets nobody and needs no secret. */
  private static Transport alone() {
    return ThreadTransport.world(1).getFirst();
  }

  private static Transport joinOthers(RankEnvironment me) {
    if (me.localWorld().isPresent() && me.localWorld().getAsInt() == me.world()) {
      return SharedMemoryTransport.join(
          SharedMemoryTransport.Options.of(
              jobName(me.job().token(), me.job().generation()), me.rank(), me.world()));
    }
    Path folder = SharedMemoryTransport.folder();
    return HierarchicalTransport.join(tcpOptions(me), folder, HostIdentity.of(folder));
  }

  /** The environment as options; the machine of rank 0 must have an address. */
  private static TcpTransport.Options tcpOptions(RankEnvironment me) {
    InetSocketAddress master =
        new InetSocketAddress(me.job().master().getHostString(), me.job().master().getPort());
    if (master.isUnresolved()) {
      throw new InputException(
          "MASTER_ADDR=" + me.job().master().getHostString() + " is not the name of a machine");
    }
    byte[] secret = me.job().token().getBytes(StandardCharsets.UTF_8);
    TcpTransport.Options usual = TcpTransport.Options.of(master, me.rank(), me.world(), secret);
    return new TcpTransport.Options(
        master,
        me.rank(),
        me.world(),
        secret,
        me.job().generation(),
        usual.joining(),
        usual.silence(),
        me.job().tls());
  }

  /** A name for the job's files, which nobody without the secret can guess. */
  static String jobName(String token, int generation) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      sha.update(("sortie job " + generation + " ").getBytes(StandardCharsets.UTF_8));
      byte[] digest = sha.digest(token.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
