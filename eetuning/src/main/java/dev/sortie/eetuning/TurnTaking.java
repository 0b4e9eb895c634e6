package dev.sortie.eetuning;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.Step;
import java.util.concurrent.locks.Lock;
import java.util.function.Supplier;

/**
 * A text of one thread among those of others: whoever computes holds the lock, so that the threads
 * of a device serve one text at a time and a model is not closed under a pass.
 */
record TurnTaking(DecodingStrategy strategy, Lock lock) implements DecodingStrategy {
  @Override
  public Step prefill(int[] prompt) {
    return inTurn(() -> strategy.prefill(prompt));
  }

  @Override
  public Step next(int token) {
    return inTurn(() -> strategy.next(token));
  }

  @Override
  public int position() {
    return strategy.position();
  }

  @Override
  public void rewind(int count) {
    inTurn(
        () -> {
          strategy.rewind(count);
          return null;
        });
  }

  @Override
  public SpeculationReport speculation() {
    return strategy.speculation();
  }

  @Override
  public void close() {
    inTurn(
        () -> {
          strategy.close();
          return null;
        });
  }

  private <T> T inTurn(Supplier<T> work) {
    lock.lock();
    try {
      return work.get();
    } finally {
      lock.unlock();
    }
  }
}
