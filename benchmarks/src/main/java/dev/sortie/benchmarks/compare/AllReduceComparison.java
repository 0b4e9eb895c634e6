package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.limit.Limits;
import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.benchmarks.measure.Side;
import dev.sortie.benchmarks.measure.Turns;
import dev.sortie.benchmarks.peer.OpenMpi;
import dev.sortie.benchmarks.ranks.Question;
import dev.sortie.benchmarks.ranks.Question.What;
import dev.sortie.benchmarks.ranks.Question.Where;
import dev.sortie.benchmarks.ranks.RankPair;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Sums of F32 over two ranks of one thread, and small messages between them, against Open MPI. Our
 * buffers lie in memory that both ranks see, or are private, as Open MPI's are.
 */
public final class AllReduceComparison implements Comparison {
  private static final long LARGEST = 64L << 20;
  private static final int RANKS = 2;
  private static final double SMALL = 4096;

  private record Case(String name, String group, Question question) {
    static Case sum(String size, long bytes, Where where) {
      String group = where.name().toLowerCase(java.util.Locale.ROOT);
      return new Case(size + " " + group, group, new Question(What.SUM, bytes, 1, where));
    }
  }

  private static final List<Case> CASES =
      List.of(
          Case.sum("64 MiB", LARGEST, Where.SHARED),
          Case.sum("64 MiB", LARGEST, Where.PRIVATE),
          Case.sum("1 MiB", 1L << 20, Where.SHARED),
          Case.sum("1 MiB", 1L << 20, Where.PRIVATE),
          Case.sum("64 KiB", 64L << 10, Where.SHARED),
          Case.sum("64 KiB", 64L << 10, Where.PRIVATE),
          Case.sum("1 KiB", 1L << 10, Where.PRIVATE),
          Case.sum("8 B", 8, Where.PRIVATE),
          new Case("8 B message", "message", new Question(What.MESSAGES, 8, 1, Where.PRIVATE)));

  /** For the command line. */
  public AllReduceComparison() {}

  @Override
  public Measured run(Settings settings, Limits limits) {
    List<Case> cases = settings.choose(CASES, Case::name);
    List<Row> rows = new ArrayList<>();
    try (OpenMpi mpi = OpenMpi.start(settings.peers(), LARGEST);
        RankPair ours = RankPair.inMemory(LARGEST)) {
      for (Case c : cases) {
        Row row = measure(c, ours, mpi, settings, limits);
        settings.progress().accept(Table.line(row));
        rows.add(row);
      }
      return new Measured(mpi.version(), rows);
    }
  }

  private static Row measure(Case c, RankPair ours, OpenMpi mpi, Settings settings, Limits limits) {
    Question q = c.question;
    if (q.what() == What.SUM) {
      check(c, ours, mpi);
    }
    Side peer = RankTimes.side(q, s -> mpi.ask(s.forPeer()).getDouble("seconds", 0, 1e6));
    Side mine = RankTimes.compiled(q, ours::seconds);
    double[] seconds = Turns.medians(settings.rounds(), mine, peer);
    return q.what() == What.MESSAGES ? messages(c, seconds) : sums(c, seconds, limits);
  }

  private static void check(Case c, RankPair ours, OpenMpi mpi) {
    Question once = new Question(What.CHECK, c.question.bytes(), 1, c.question.where());
    String theirs = mpi.ask(once.forPeer()).getString("hash");
    for (String hash : ours.hashes(once)) {
      if (!hash.equals(theirs)) {
        throw new DisagreementException(
            "%s: the sum has the hash %s here and %s at the peer".formatted(c.name, hash, theirs));
      }
    }
  }

  /**
   * Bus bandwidth as nccl-tests defines it: what each rank must move at least, {@code 2(p−1)/p·n},
   * by the time.
   */
  private static Row sums(Case c, double[] seconds, Limits limits) {
    double moved = 2.0 * (RANKS - 1) / RANKS * c.question.bytes();
    double rate = moved / seconds[0];
    Map<String, Object> extra = microseconds(seconds);
    if (c.question.bytes() > SMALL) {
      extra.put("memory_share", Figure.rounded(rate / limits.read(limits.threads())));
    }
    return new Row(c.name, c.group, rate * 1e-9, moved / seconds[1] * 1e-9, "GB/s", extra);
  }

  private static Row messages(Case c, double[] thereAndBack) {
    double[] oneWay = {thereAndBack[0] / 2, thereAndBack[1] / 2};
    return new Row(
        c.name, c.group, 1e-6 / oneWay[0], 1e-6 / oneWay[1], "per µs", microseconds(oneWay));
  }

  private static Map<String, Object> microseconds(double[] seconds) {
    Map<String, Object> extra = new LinkedHashMap<>();
    extra.put("ours_microseconds", Figure.rounded(seconds[0] * 1e6));
    extra.put("peer_microseconds", Figure.rounded(seconds[1] * 1e6));
    return extra;
  }
}
