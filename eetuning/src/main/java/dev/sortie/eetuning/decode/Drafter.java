package dev.sortie.eetuning.decode;

import java.util.Optional;

/**
 * Proposes how one text continues, for passes that read several tokens, and learns from what
 * becomes of them. Serves one sequence; not thread-safe.
 */
public interface Drafter extends AutoCloseable {
  /** Never drafts: each pass reads one token. */
  Drafter NONE =
      new Drafter() {
        @Override
        public int most() {
          return 0;
        }

        @Override
        public void prompt(int position, int[] prompt) {}

        @Override
        public boolean isRight(int position, int token) {
          return false;
        }

        @Override
        public boolean hasRead(int position, int token) {
          return false;
        }

        @Override
        public int[] begin(int position, int token, int most) {
          return new int[] {token};
        }

        @Override
        public double[] offer(int position, int token, int most) {
          return new double[1];
        }

        @Override
        public int[] beginOffered(int position, int token, int count) {
          return new int[] {token};
        }

        @Override
        public void took(double seconds) {}

        @Override
        public Optional<Step.DraftToken> behind(int position) {
          return Optional.empty();
        }

        @Override
        public void rewind(int count) {}

        @Override
        public SpeculationReport report() {
          return SpeculationReport.NONE;
        }

        @Override
        public void close() {}
      };

  /** Draft tokens in a pass at most. */
  int most();

  /** The text continues with a prompt, whose first token stands at {@code position}. */
  void prompt(int position, int[] prompt);

  /**
   * A token was chosen.
   *
   * @return whether the last pass has read it at this position, as a draft token after draft tokens
   *     that were right; if not, what the pass read from here on is no part of the text
   */
  boolean isRight(int position, int token);

  /** Whether {@link #isRight} would say so; changes nothing. */
  boolean hasRead(int position, int token);

  /**
   * A pass begins.
   *
   * @param position of its first token
   * @param token that token
   * @param most draft tokens at most
   * @return the tokens to read: that one, then the draft tokens
   */
  int[] begin(int position, int token, int most);

  /**
   * Drafts for a pass with other texts, which {@link #beginOffered} begins: its time says nothing
   * about passes of this text alone, so somebody else weighs it against what is offered.
   *
   * @param position of its first token
   * @param token that token
   * @param most draft tokens at most
   * @return how many of 0, 1, … draft tokens are expected to be right; of 0 only where there is
   *     none
   */
  double[] offer(int position, int token, int most);

  /**
   * A pass with other texts begins.
   *
   * @param count draft tokens to be read, of those offered just before
   * @return the tokens to read: the token just chosen, then the draft tokens
   */
  int[] beginOffered(int position, int token, int count);

  /** The last pass took so long, or so much longer. */
  void took(double seconds);

  /** The draft token that the last pass has read after the token at {@code position}. */
  Optional<Step.DraftToken> behind(int position);

  /** The text was cut: it has {@code count} tokens. */
  void rewind(int count);

  /** Passes and draft tokens so far. */
  SpeculationReport report();

  @Override
  void close();
}
