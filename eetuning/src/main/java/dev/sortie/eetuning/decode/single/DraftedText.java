package dev.sortie.eetuning.decode.single;

import dev.sortie.eetuning.decode.Drafter;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.Descent;
import dev.sortie.eetuning.decode.pass.SequenceState;
import dev.sortie.tensor.kernel.Kernels;
import java.util.List;

/**
 * A text on a {@link Descent}, and a {@link Drafter} that proposes how it continues. Draft tokens
 * are read with the token just chosen; answers are given token after token.
 */
public final class DraftedText implements AutoCloseable {
  private final SequenceState text;
  private final Drafter drafter;
  private final List<SequenceState> alone;
  private Step answer;

  /**
   * A text whose state has rows for a token and all its draft tokens.
   *
   * @param text closed with this
   * @param drafter closed with this
   */
  public DraftedText(SequenceState text, Drafter drafter) {
    this.text = text;
    this.drafter = drafter;
    this.alone = List.of(text);
  }

  /** Its state. */
  public SequenceState state() {
    return text;
  }

  /** A prompt is read after what was read so far. */
  public void prompt(int[] prompt) {
    drafter.prompt(text.position(), prompt);
  }

  /** All of a prompt is known, of which the beginning need not be read. */
  public void wholePrompt(int[] prompt) {
    drafter.prompt(0, prompt);
  }

  /**
   * Reads one token in a pass of its own, with drafts after it.
   *
   * @return what follows it
   */
  public Step next(Descent descent, int token) {
    int position = text.position();
    text.sequence().requireRoom(position + 1);
    boolean right = drafter.isRight(position, token);
    int[] round = right && position < text.ahead() ? null : round(position, token);
    long start = System.nanoTime();
    try {
      descent.step(
          () -> {
            if (round != null) {
              text.begin(round);
            }
            return descent.run(alone, (_, step) -> answer = step);
          });
    } catch (RuntimeException e) {
      rewind(position);
      throw e;
    }
    drafter.took((System.nanoTime() - start) * 1e-9);
    return answered(position, answer);
  }

  /**
   * The token and draft tokens after it, as many as make stable rows with those that are pending.
   */
  private int[] round(int position, int token) {
    text.cut();
    int most = Math.min(Kernels.ROW_STABLE - text.deficit(), text.sequence().capacity() - position);
    return drafter.begin(position, token, Math.max(0, most - 1));
  }

  /**
   * Whether the last pass has read this token as a draft token, so that {@link #next} finds what
   * follows, or some of the way to it.
   */
  public boolean hasRead(int token) {
    int position = text.position();
    return position < text.ahead() && drafter.hasRead(position, token);
  }

  /**
   * Drafts for a pass with other texts, which {@link #beginInCompany} begins.
   *
   * @param most draft tokens at most; 0 asks nobody
   * @return how many of 0, 1, … draft tokens after the token are expected to be right
   */
  public double[] offer(int token, int most) {
    int position = text.position();
    drafter.isRight(position, token);
    text.cut();
    return drafter.offer(
        position, token, Math.min(most, text.sequence().capacity() - position - 1));
  }

  /**
   * Begins to read one token in a pass with other texts.
   *
   * @param count draft tokens after it, of those offered
   */
  public void beginInCompany(int token, int count) {
    text.begin(drafter.beginOffered(text.position(), token, count));
  }

  /** What follows a token, and what was drafted there. */
  public Step answered(int position, Step step) {
    return step.with(drafter.behind(position));
  }

  /** What was drafted so far. */
  public SpeculationReport report() {
    return drafter.report();
  }

  /** Forgets all tokens but the first {@code count}. */
  public void rewind(int count) {
    text.rewind(count);
    drafter.rewind(count);
  }

  @Override
  public void close() {
    drafter.close();
    text.close();
  }
}
