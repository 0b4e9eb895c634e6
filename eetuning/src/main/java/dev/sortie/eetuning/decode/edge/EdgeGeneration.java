package dev.sortie.eetuning.decode.edge;

import dev.sortie.eetuning.decode.Generation;
import java.util.List;
import java.util.Optional;

/**
 * A text that edge and cloud have written, and what that took.
 *
 * @param text the text
 * @param by who decided each of its tokens
 * @param lost why the cloud ceased to answer; empty if it did not
 * @param exact whether tokens that are not {@link EdgeToken#ALONE} have the bits of one process:
 *     states in F32, and both sides compute alike
 * @param sent bytes that went to the cloud until the text was complete, without what TCP and TLS
 *     add; states that no answer waited for may still be left
 * @param received bytes from it
 * @param roundTrips answers that the edge waited for
 */
public record EdgeGeneration(
    Generation text,
    List<EdgeToken> by,
    Optional<String> lost,
    boolean exact,
    long sent,
    long received,
    int roundTrips) {
  public EdgeGeneration {
    by = List.copyOf(by);
  }

  /** How many tokens were decided by one of the two, or by the edge alone. */
  public int count(EdgeToken who) {
    return (int) by.stream().filter(who::equals).count();
  }
}
