package dev.sortie.parallel.comm;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * How a communicator waits and works. All ranks must use the same.
 *
 * @param deadline longest wait without a byte moving, such as for a rank that computes or saves a
 *     checkpoint
 * @param forced algorithms to use instead of the ones that the cost model chooses
 */
public record CommOptions(Duration deadline, Map<Operation, Algorithm> forced) {

  public CommOptions {
    forced = Map.copyOf(forced);
    if (Objects.requireNonNull(deadline, "deadline").isNegative() || deadline.isZero()) {
      throw new IllegalArgumentException("the deadline must be above 0, got " + deadline);
    }
  }

  /** Ten minutes, algorithms by the cost model. */
  public static CommOptions defaults() {
    return new CommOptions(Duration.ofMinutes(10), Map.of());
  }

  /** These with another deadline. */
  public CommOptions withDeadline(Duration other) {
    return new CommOptions(other, forced);
  }

  /** These with an algorithm forced for one operation. */
  public CommOptions withAlgorithm(Operation operation, Algorithm algorithm) {
    Map<Operation, Algorithm> more = new EnumMap<>(Operation.class);
    more.putAll(forced);
    more.put(operation, algorithm);
    return new CommOptions(deadline, more);
  }
}
