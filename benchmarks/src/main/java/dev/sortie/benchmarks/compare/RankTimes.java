package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.measure.PeerWarmUp;
import dev.sortie.benchmarks.measure.Side;
import dev.sortie.benchmarks.ranks.Question;
import java.util.function.ToDoubleFunction;

/** Samples of a question to two ranks. */
final class RankTimes {
  private static final double SAMPLE = 0.1;
  private static final int FIRST = 10;
  private static final int MOST = 1_000_000;

  private RankTimes() {}

  /**
   * A side that repeats the question's work to {@link #SAMPLE} seconds; its time is of one call.
   */
  static Side side(Question question, ToDoubleFunction<Question> seconds) {
    Question sample = sized(question, seconds);
    return () -> seconds.applyAsDouble(sample);
  }

  /** The same for Java ranks, which first run until they are compiled. */
  static Side compiled(Question question, ToDoubleFunction<Question> seconds) {
    Question few = sized(question, seconds);
    PeerWarmUp.run(() -> few.calls() * seconds.applyAsDouble(few));
    return side(question, seconds);
  }

  private static Question sized(Question question, ToDoubleFunction<Question> seconds) {
    double once = seconds.applyAsDouble(question.withCalls(FIRST));
    return question.withCalls((int) Math.clamp(Math.ceil(SAMPLE / once), FIRST, MOST));
  }
}
