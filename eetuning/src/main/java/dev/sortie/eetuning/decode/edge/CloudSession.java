package dev.sortie.eetuning.decode.edge;

import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.Descent;
import dev.sortie.eetuning.decode.pass.PromptChunk;
import dev.sortie.eetuning.decode.pass.Segment;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.decode.pass.SequenceState;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * One text in the cloud: the caches of its layers, and how its tokens are chosen. States of tokens
 * that the edge has decided wait until the next one that wants an answer takes them along, or a few
 * have come together: a pass reads the weights once for all of them, and gives each the bits that
 * it gets alone.
 */
final class CloudSession implements AutoCloseable {
  /** As in a stage of a pipeline. */
  private static final int FILL_ROWS = 4;

  private final Frame.Open text;
  private final Descent descent;
  private final SequenceState state;
  private final Sampler sampler;
  private Step step;

  CloudSession(LanguageModel m, Frame.Open text) {
    int layers = m.config().decoder().layers();
    List<Segment> segments = Segment.of(Exits.none(), text.from(), layers, true);
    this.text = text;
    this.descent = new Descent(m.decoder(), segments, m.device());
    this.state =
        SequenceState.of(
            new Sequence(m.decoder(), text.room(), descent.ops(), text.from(), layers),
            segments,
            new MaxProbability(1),
            0,
            1,
            Optional.empty());
    this.sampler = new Sampler(text.sampling(), text.vocab());
  }

  /**
   * Takes the states of the next tokens.
   *
   * @return what follows them, if the edge wants it
   * @throws InputException if they are not what comes next
   */
  Optional<Frame.Answer> take(Frame.States f) {
    check(f);
    step = null;
    if (f.prompt()) {
      descent.step(() -> prompt(f));
      sampler.read(f.ids());
    } else {
      for (int i = 0; i < f.ids().length; i++) {
        token(f, i);
        sampler.saw(f.ids()[i]);
      }
    }
    return Optional.ofNullable(step)
        .map(
            s ->
                new Frame.Answer(
                    state.position(),
                    sampler.choose(s.logits(), state.position()),
                    s.confidence()));
  }

  private Void prompt(Frame.States f) {
    Tensor x = states(f, 0, f.ids().length);
    PromptChunk chunk = new PromptChunk(state, f.ids(), f.wanted(), Optional.empty());
    Tensor y = descent.prefill(List.of(chunk), x);
    step = f.wanted() ? state.afterPrompt(y) : null;
    return null;
  }

  private void token(Frame.States f, int row) {
    boolean wanted = f.wanted() && row == f.ids().length - 1;
    descent.step(
        () -> {
          state.begin(f.ids()[row]);
          state.arrive(states(f, row, row + 1));
          return wanted ? descent.run(List.of(state), (_, answer) -> step = answer) : null;
        });
    if (!wanted) {
      state.readOne();
      if (state.deficit() >= FILL_ROWS) {
        descent.complete(state);
      }
    }
  }

  /** Those of some rows, {@code [1, end - first, C]}. */
  private Tensor states(Frame.States f, int first, int end) {
    int bytes = text.type().bytes(text.hidden());
    byte[] rows = Arrays.copyOfRange(f.states(), first * bytes, end * bytes);
    return text.type().decode(descent.ops(), rows, end - first, text.hidden());
  }

  private void check(Frame.States f) {
    int count = f.ids().length;
    if (f.first() != state.position() || count == 0 || count > text.room() - f.first()) {
      throw new InputException(
          "states of %d tokens from position %d on, expected those from %d to at most %d"
              .formatted(count, f.first(), state.position(), text.room()));
    }
    long bytes = (long) count * text.type().bytes(text.hidden());
    if (f.states().length != bytes) {
      throw new InputException(
          "states of %d tokens have %d bytes, expected %d"
              .formatted(count, f.states().length, bytes));
    }
    for (int id : f.ids()) {
      if (id < 0 || id >= text.vocab()) {
        throw new InputException(
            "token %d is outside the vocabulary of %d".formatted(id, text.vocab()));
      }
    }
  }

  @Override
  public void close() {
    state.close();
    descent.close();
  }
}
