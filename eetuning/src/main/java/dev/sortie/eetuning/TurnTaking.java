package dev.sortie.eetuning;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.Step;

/**
 * A text of one thread among those of others. It computes only in its turn, so that the threads of
 * a device serve one text at a time, and a model is not closed during a pass.
 */
record TurnTaking(DecodingStrategy strategy, Model model) implements DecodingStrategy {
  @Override
  public Step prefill(int[] prompt) {
    return model.inTurn(() -> strategy.prefill(prompt));
  }

  @Override
  public Step next(int token) {
    return model.inTurn(() -> strategy.next(token));
  }

  @Override
  public int position() {
    return strategy.position();
  }

  @Override
  public void rewind(int count) {
    model.inTurn(
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
    model.inTurn(
        () -> {
          strategy.close();
          return null;
        });
  }
}
