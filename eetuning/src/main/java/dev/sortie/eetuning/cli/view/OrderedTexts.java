package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.pipeline.PipelinedDecoder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.IntFunction;

/**
 * Shows texts that are written at the same time one after another: the first one as it grows, what
 * comes of the others meanwhile when it is their turn.
 */
public final class OrderedTexts implements PipelinedDecoder.Listener {
  private final IntFunction<ColouredText> begin;
  private final BiConsumer<Generation, ColouredText> end;
  private final Map<Integer, List<GeneratedToken>> waiting = new HashMap<>();
  private final Map<Integer, Generation> finished = new HashMap<>();
  private int turn;
  private ColouredText out;

  /**
   * @param begin shows what stands before a text
   * @param end shows what stands after one
   */
  public OrderedTexts(IntFunction<ColouredText> begin, BiConsumer<Generation, ColouredText> end) {
    this.begin = begin;
    this.end = end;
  }

  @Override
  public void token(int text, GeneratedToken token) {
    waiting.computeIfAbsent(text, t -> new ArrayList<>()).add(token);
    show();
  }

  @Override
  public void finished(int text, Generation generation) {
    finished.put(text, generation);
    show();
  }

  private void show() {
    boolean more = true;
    while (more && waiting.containsKey(turn)) {
      out = out == null ? begin.apply(turn) : out;
      List<GeneratedToken> tokens = waiting.get(turn);
      tokens.forEach(t -> out.token(t.text(), t.exit()));
      tokens.clear();
      more = finished.containsKey(turn);
      if (more) {
        end.accept(finished.remove(turn), out);
        waiting.remove(turn);
        out = null;
        turn++;
      }
    }
  }
}
