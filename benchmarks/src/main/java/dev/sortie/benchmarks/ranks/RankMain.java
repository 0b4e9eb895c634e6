package dev.sortie.benchmarks.ranks;

import dev.sortie.nn.json.Json;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.group.GroupCommunicator;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.comm.transport.shm.SharedMemoryTransport;
import dev.sortie.parallel.comm.transport.tcp.TcpTransport;
import dev.sortie.parallel.comm.transport.tcp.Tls;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** The process of one rank: questions on standard input, answers on standard output. */
public final class RankMain {
  private RankMain() {}

  /** Arguments: {@code memory} or {@code tcp}, job, rank, bytes, and two free ports for TCP. */
  public static void main(String[] args) throws IOException {
    boolean tcp = args[0].equals("tcp");
    int rank = Integer.parseInt(args[2]);
    try (Transport transport = tcp ? tcp(args[1], rank, port(args[4])) : memory(args[1], rank);
        Communicator communicator = GroupCommunicator.over(transport, CommOptions.defaults());
        Rank worker =
            new Rank(
                communicator,
                tcp ? new PlainSocket(rank, port(args[5]), communicator::barrier) : null,
                Long.parseLong(args[3]))) {
      say(Map.of("peer", transport.name()));
      BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        say(worker.answer(Question.parse(line)));
      }
      communicator.barrier(); // neither takes its memory away while the other is in its last call
    }
  }

  private static Transport memory(String job, int rank) {
    return SharedMemoryTransport.join(SharedMemoryTransport.Options.of(job, rank, 2));
  }

  private static Transport tcp(String job, int rank, int port) {
    InetSocketAddress master = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    byte[] secret = job.getBytes(StandardCharsets.UTF_8);
    TcpTransport.Options usual = TcpTransport.Options.of(master, rank, 2, secret);
    return TcpTransport.join(
        new TcpTransport.Options(
            master,
            rank,
            2,
            secret,
            0,
            usual.joining(),
            usual.silence(),
            Tls.read(System.getenv())));
  }

  private static int port(String text) {
    return Integer.parseInt(text);
  }

  private static void say(Map<String, Object> answer) {
    System.out.println(Json.compact(answer));
    System.out.flush();
  }
}
