package dev.sortie.parallel.launch;

import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.transport.tcp.TcpTransport;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/** How a rank joins the others over TCP. */
final class TcpRanks {
  private TcpRanks() {}

  static TcpTransport join(RankEnvironment me) {
    return TcpTransport.join(options(me));
  }

  /** The environment as options; the machine of rank 0 must have an address. */
  static TcpTransport.Options options(RankEnvironment me) {
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
}
