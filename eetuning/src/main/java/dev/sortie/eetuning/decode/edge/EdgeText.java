package dev.sortie.eetuning.decode.edge;

import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.ChunkedPrefill;
import dev.sortie.eetuning.decode.pass.Descent;
import dev.sortie.eetuning.decode.pass.PromptChunk;
import dev.sortie.eetuning.decode.pass.Segment;
import dev.sortie.eetuning.decode.pass.SequenceState;
import dev.sortie.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * One text on the edge. A token goes down as in {@link
 * dev.sortie.eetuning.decode.single.EarlyExit}; what comes to the end of the edge's layers is sent
 * on at once, so that the cloud has the states of all tokens before the one that it is asked about.
 */
final class EdgeText {
  /** A prompt is sent and read as a whole, so it may take longer than a token. */
  private static final int PROMPT_PATIENCE = 10;

  private final Descent descent;
  private final SequenceState state;
  private final CloudLink cloud;
  private final LinkType type;
  private final Duration timeout;
  private final int[] ids;
  private Step step;

  /**
   * What follows the text so far.
   *
   * @param by who says so
   * @param logits of an exit; empty where the cloud has chosen
   * @param chosen by the cloud
   */
  record Next(EdgeToken by, Optional<Step> logits, Optional<Frame.Answer> chosen) {}

  /**
   * An empty text.
   *
   * @param descent through the segments of the edge, the last of which is an outlet after an exit
   * @param timeout for a token; ten times as long for the prompt
   */
  EdgeText(Descent descent, SequenceState state, CloudLink cloud, LinkType type, Duration timeout) {
    this.descent = descent;
    this.state = state;
    this.cloud = cloud;
    this.type = type;
    this.timeout = timeout;
    this.ids = new int[state.sequence().capacity()];
  }

  /** Reads the prompt, at full depth if the cloud answers. */
  Next prompt(int[] prompt) {
    ChunkedPrefill.each(prompt, (chunk, end) -> descent.step(() -> chunk(chunk, end)));
    return fromCloud(timeout.multipliedBy(PROMPT_PATIENCE))
        .orElseGet(
            () -> {
              state.rewind(prompt.length - 1);
              return descent.step(() -> alone(prompt[prompt.length - 1]));
            });
  }

  private Void chunk(int[] chunk, boolean end) {
    int first = state.position();
    Tensor x = state.sequence().embed(chunk, first, chunk.length);
    Tensor y = descent.prefill(List.of(new PromptChunk(state, chunk, end, Optional.empty())), x);
    send(first, true, end, chunk, type.encode(descent.ops(), y));
    return null;
  }

  /** Reads a token. */
  Next next(int token) {
    return descent.step(
        () -> {
          boolean here = read(token);
          sendOn(!here);
          return here
              ? new Next(EdgeToken.EDGE, Optional.of(step), Optional.empty())
              : fromCloud(timeout).orElseGet(this::alone);
        });
  }

  /** Whether an exit has answered. */
  private boolean read(int token) {
    int position = state.position();
    state.sequence().requireRoom(position + 1);
    ids[position] = token;
    state.begin(token);
    return descent.run(List.of(state), (_, answer) -> step = answer).isEmpty();
  }

  /** Sends states that have come to the outlet, if that of the last token has. */
  private void sendOn(boolean wanted) {
    Segment outlet = descent.segments().getLast();
    Segment last = descent.segments().get(outlet.index() - 1);
    int first = state.done(outlet);
    int end = state.position();
    if (state.done(last) < end) {
      return; // it left above the last layers, which later tokens bring it through
    }
    ByteArrayOutputStream states = new ByteArrayOutputStream();
    for (int p = first; p < end; p++) {
      states.writeBytes(type.encode(descent.ops(), state.sent(p)));
    }
    send(first, false, wanted, Arrays.copyOfRange(ids, first, end), states.toByteArray());
  }

  private void send(int first, boolean prompt, boolean wanted, int[] tokens, byte[] states) {
    cloud.send(new Frame.States(first, prompt, wanted, tokens, states));
  }

  private Optional<Next> fromCloud(Duration longest) {
    return cloud
        .answer(state.position(), longest)
        .map(a -> new Next(EdgeToken.CLOUD, Optional.empty(), Optional.of(a)));
  }

  /** Reads the last token of a prompt again, for what the exit says of it. */
  private Next alone(int token) {
    read(token);
    sendOn(false);
    return alone();
  }

  private Next alone() {
    return new Next(EdgeToken.ALONE, Optional.of(descent.lastExit(state)), Optional.empty());
  }
}
