package dev.sortie.eetuning.decode.chat;

import dev.sortie.eetuning.decode.single.PrefixReuse;
import dev.sortie.nn.InputException;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/**
 * A prompt that is read while it is typed, on a thread of its own, so that little of it is unread
 * when it is complete.
 *
 * <p>The idea is LiveMind's (C. Chen et al., <a
 * href="https://arxiv.org/abs/2406.14319">arXiv:2406.14319v2</a>, figure 2 and algorithm 1): to
 * compute during the input, which otherwise leaves the model idle. What is computed differs. There,
 * the model writes inferences about each incomplete segment of the input, and the answer is
 * generated from these: other text than without, and a time that depends on what they anticipate.
 * Here, the incomplete prompt is only read into the KV cache; nothing is inferred from it. So the
 * answer has the bits of one to the complete prompt ({@link PrefixReuse#exact}), and what is saved
 * is the time to read it.
 *
 * <p>Whatever is typed is tokenized as a whole, since the tokenizer may merge what is typed next
 * with what was typed before. Read are the tokens that the prompt has both if it ends here and if a
 * letter follows. That is a guess at what will stay: a token that changes later is read again, as
 * are those after an edit.
 *
 * <p>The strategy belongs to this thread from {@link #typed} to {@link #settle}, and else to the
 * caller.
 */
public final class LivePrompt implements AutoCloseable {
  /**
   * Tokens of a pass. Whoever completes the prompt waits for the pass in progress: 0.1 seconds with
   * SmolLM2-135M on two cores.
   */
  private static final int PIECE = 64;

  /** Typed next, it shows which tokens depend on what follows. */
  private static final String LETTER = "e";

  private final PrefixReuse strategy;
  private final Function<String, int[]> encode;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().daemon().name("sortie-live-prompt").factory());
  private volatile String typed;
  private CompletableFuture<Void> reading = CompletableFuture.completedFuture(null);

  /**
   * A prompt of which nothing is typed.
   *
   * @param strategy should be {@linkplain PrefixReuse#exact exact}; not closed with this
   * @param encode ids of the whole prompt if a text is what was typed; an {@link InputException}
   *     means that nothing can be read
   */
  public LivePrompt(PrefixReuse strategy, Function<String, int[]> encode) {
    this.strategy = strategy;
    this.encode = encode;
  }

  /** So much is typed now. Returns at once. */
  public void typed(String text) {
    typed = text;
    reading = reading.thenRunAsync(this::read, thread);
  }

  private void read() {
    String text = typed;
    while (text != null && readPiece(text)) {
      text = typed;
    }
  }

  /**
   * Reads a piece of what is typed.
   *
   * @return whether anything was left to read
   */
  boolean readPiece(String text) {
    int[] ends;
    int[] grows;
    try {
      ends = encode.apply(text);
      grows = encode.apply(text + LETTER);
    } catch (InputException e) {
      return false; // whoever completes the prompt gets the message
    }
    int differs = Arrays.mismatch(ends, grows);
    return strategy.readAhead(differs < 0 ? ends : Arrays.copyOf(ends, differs), PIECE);
  }

  /**
   * Waits for the pass in progress; nothing more is read until {@link #typed} is called again.
   *
   * @throws RuntimeException if a pass failed
   */
  public void settle() {
    typed = null;
    try {
      reading.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  @Override
  public void close() {
    typed = null;
    thread.close();
  }
}
