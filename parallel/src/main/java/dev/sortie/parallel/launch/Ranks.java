package dev.sortie.parallel.launch;

import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.transport.HierarchicalTransport;
import dev.sortie.parallel.comm.transport.Host;
import dev.sortie.parallel.comm.transport.SharedMemoryTransport;
import dev.sortie.parallel.comm.transport.TcpTransport;
import dev.sortie.parallel.comm.transport.ThreadTransport;
import dev.sortie.parallel.comm.transport.Transport;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** How a rank joins the others of its job. */
public final class Ranks {
  private Ranks() {}

  /**
   * Joins the job that the environment describes: through shared memory if all ranks are on this
   * machine, else over TCP between machines and through shared memory inside of each. Calls fail
   * once {@code sortie launch} has died, if it started this one.
   *
   * @throws dev.sortie.parallel.comm.CommException if the others do not come
   */
  public static Transport join(RankEnvironment me) {
    Transport transport = joinOthers(me);
    return me.launcher().isPresent()
        ? new LaunchedTransport(transport, me.launcher().getAsLong())
        : transport;
  }

  private static Transport joinOthers(RankEnvironment me) {
    if (me.world() == 1) {
      return ThreadTransport.world(1).getFirst();
    }
    if (me.localWorld().isPresent() && me.localWorld().getAsInt() == me.world()) {
      return SharedMemoryTransport.join(
          SharedMemoryTransport.Options.of(
              jobName(me.token(), me.generation()), me.rank(), me.world()));
    }
    InetSocketAddress master =
        new InetSocketAddress(me.master().getHostString(), me.master().getPort());
    if (master.isUnresolved()) {
      throw new InputException(
          "MASTER_ADDR=" + me.master().getHostString() + " is not the name of a machine");
    }
    byte[] secret = me.token().getBytes(StandardCharsets.UTF_8);
    TcpTransport.Options options = TcpTransport.Options.of(master, me.rank(), me.world(), secret);
    TcpTransport.Options named =
        new TcpTransport.Options(
            master,
            me.rank(),
            me.world(),
            secret,
            me.generation(),
            options.joining(),
            options.silence());
    Path folder = SharedMemoryTransport.folder();
    return HierarchicalTransport.join(named, folder, Host.of(folder));
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
