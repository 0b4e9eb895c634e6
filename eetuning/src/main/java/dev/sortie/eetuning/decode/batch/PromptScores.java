package dev.sortie.eetuning.decode.batch;

import dev.sortie.eetuning.decode.PromptStates;
import dev.sortie.eetuning.decode.sampling.TokenLogprobs;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** How likely each token of a prompt is after those before it, by the final layer. */
public final class PromptScores implements PromptStates {
  /** Rows whose logits are held at once: 12 MB for a vocabulary of 49,152. */
  private static final int ROWS = 64;

  private final Decoder decoder;
  private final int[] prompt;
  private final int count;
  private final List<TokenLogprobs> scores = Collections.synchronizedList(new ArrayList<>());

  /**
   * Scores of a prompt.
   *
   * @param count likeliest tokens to name at each place
   */
  public PromptScores(Decoder decoder, int[] prompt, int count) {
    this.decoder = decoder;
    this.prompt = prompt.clone();
    this.count = count;
  }

  /** Those of the second token and on, as far as the prompt was read. */
  public List<TokenLogprobs> scores() {
    synchronized (scores) {
      return List.copyOf(scores);
    }
  }

  @Override
  public void read(Ops ops, int first, Tensor states) {
    long width = states.shape().dim(-1);
    int rows = Math.min(states.shape().rows(), prompt.length - 1 - first);
    for (int from = 0; from < rows; from += ROWS) {
      int block = Math.min(ROWS, rows - from);
      try (var _ = ops.workspace().mark()) {
        Tensor x =
            Tensor.of(states.span().slice(from * width, block * width), Shape.of(1, block, width));
        score(ops, decoder.logits(ops, x), first + from, block);
      }
    }
  }

  private void score(Ops ops, Tensor logits, int first, int rows) {
    TopTokens best = TopTokens.of(ops, logits);
    float[] row = new float[(int) logits.shape().dim(-1)];
    for (int i = 0; i < rows; i++) {
      MemorySegment.ofArray(row)
          .copyFrom(logits.span().slice((long) i * row.length, row.length).readOnly());
      scores.add(TokenLogprobs.of(row, best.lse().span().get(i), prompt[first + i + 1], count));
    }
  }
}
