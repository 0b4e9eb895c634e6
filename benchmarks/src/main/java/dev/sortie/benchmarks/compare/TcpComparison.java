package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.limit.Limits;
import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.benchmarks.measure.Side;
import dev.sortie.benchmarks.measure.Turns;
import dev.sortie.benchmarks.ranks.Question;
import dev.sortie.benchmarks.ranks.Question.What;
import dev.sortie.benchmarks.ranks.Question.Where;
import dev.sortie.benchmarks.ranks.RankPair;
import dev.sortie.parallel.comm.transport.tcp.Tls;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Messages over TCP between two processes, each checked against its call and by checksums, against
 * one plain blocking socket between the same processes. Ours go under TLS where the environment
 * asks for it ({@link Tls}); the plain socket does not.
 */
public final class TcpComparison implements Comparison {
  private static final long LARGEST = 64L << 20;

  private record Case(String name, String group, What what, long bytes) {
    Question question(Where where) {
      return new Question(what, bytes, 1, where);
    }
  }

  private static final List<Case> CASES =
      List.of(
          new Case("64 MiB one way", "stream", What.STREAM, LARGEST),
          new Case("1 MiB one way", "stream", What.STREAM, 1L << 20),
          new Case("64 KiB one way", "stream", What.STREAM, 64L << 10),
          new Case("64 MiB both ways", "both", What.BOTH, LARGEST),
          new Case("1 MiB there and back", "message", What.MESSAGES, 1L << 20),
          new Case("8 B there and back", "message", What.MESSAGES, 8));

  /** For the command line. */
  public TcpComparison() {}

  @Override
  public Measured run(Settings settings, Limits limits) {
    List<Case> cases = settings.choose(CASES, Case::name);
    List<Row> rows = new ArrayList<>();
    try (RankPair ranks = RankPair.overTcp(LARGEST, System.getenv())) {
      for (Case c : cases) {
        Side mine = RankTimes.compiled(c.question(Where.PRIVATE), ranks::seconds);
        Side peer = RankTimes.compiled(c.question(Where.SOCKET), ranks::seconds);
        Row row = row(c, ranks.transport(), Turns.medians(settings.rounds(), mine, peer));
        settings.progress().accept(Table.line(row));
        rows.add(row);
      }
    }
    return new Measured("java.nio.channels.SocketChannel", rows);
  }

  private static Row row(Case c, String transport, double[] seconds) {
    double moved = c.bytes * (c.what == What.MESSAGES ? 2 : 1);
    return new Row(
        c.name,
        c.group,
        moved / seconds[0] * 1e-9,
        moved / seconds[1] * 1e-9,
        "GB/s",
        Map.of(
            "transport", transport,
            "ours_microseconds", Figure.rounded(seconds[0] * 1e6),
            "peer_microseconds", Figure.rounded(seconds[1] * 1e6)));
  }
}
