package dev.sortie.eetuning.explain;

import dev.sortie.eetuning.decode.Step;
import java.util.function.Supplier;

/**
 * Runs the passes of an explanation, one after the other. Where a model serves others too, a pass
 * waits for its turn; where nobody wants the explanation any more, it throws an exception.
 */
@FunctionalInterface
public interface PassRunner {
  /** Runs a pass and returns what it gave. */
  Step run(Supplier<Step> pass) throws InterruptedException;
}
