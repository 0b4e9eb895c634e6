package dev.sortie.eetuning.decode.pipeline;

import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.Descent;
import dev.sortie.eetuning.decode.pass.PromptChunk;
import dev.sortie.eetuning.decode.pass.Segment;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.decode.pass.SequenceState;
import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The layers and exits of one stage, and what it has of the texts that are being decoded. A token
 * that has left, here or before, waits like a deficit token of {@link
 * dev.sortie.eetuning.decode.single.EarlyExit}: until the next one that goes deeper takes it along,
 * there is nothing better to do, or a few have come together.
 */
final class PipelineStage implements AutoCloseable {
  /**
   * Tokens that left at an exit of this stage before it brings them to its end, apart from those
   * that still need an answer: few, so that the stages behind have something to do; not one, for a
   * pass reads the weights once for all of them.
   */
  private static final int FILL_ROWS = 4;

  private final Decoder decoder;
  private final DecodingStages plan;
  private final StageLinks links;
  private final List<int[]> prompts;
  private final PipelinedDecoder.Settings settings;
  private final Consumer<ChosenToken> answers;
  private final List<Segment> segments;
  private final Descent descent;
  private final Map<Integer, Text> texts = new HashMap<>();

  /** A text: the layers' state, the tokens read, and how the next one is chosen. */
  private record Text(int number, SequenceState sequence, int[] ids, Optional<Sampler> sampler) {
    void saw(int position, int id) {
      ids[position] = id;
      sampler.ifPresent(s -> s.saw(id));
    }
  }

  /**
   * A stage.
   *
   * @param exits those of this stage
   * @param prompts of all texts
   * @param answers gets tokens that are chosen here
   */
  PipelineStage(
      Decoder decoder,
      Exits exits,
      DecodingStages plan,
      StageLinks links,
      Device device,
      List<int[]> prompts,
      PipelinedDecoder.Settings settings,
      Consumer<ChosenToken> answers) {
    this.decoder = decoder;
    this.plan = plan;
    this.links = links;
    this.prompts = prompts;
    this.settings = settings;
    this.answers = answers;
    int stage = links.stage();
    this.segments = Segment.of(exits, plan.from(stage), plan.to(stage), plan.isLast(stage));
    this.descent = new Descent(decoder, segments, device);
  }

  /** Does what is ordered. */
  void run(StageCommand command) {
    descent.step(
        () -> {
          switch (command) {
            case StageCommand.Prompt p -> prompt(p);
            case StageCommand.Tokens t -> tokens(t.rows());
            case StageCommand.Fill f -> fill();
            case StageCommand.Close c -> close(c.text());
            case StageCommand.Stop s -> stop();
          }
          return null;
        });
  }

  private boolean isFirst() {
    return links.stage() == 0;
  }

  private boolean isLast() {
    return plan.isLast(links.stage());
  }

  private void prompt(StageCommand.Prompt p) {
    int[] ids = prompts.get(p.text());
    Text text = p.from() == 0 ? open(p.text(), ids) : texts.get(p.text());
    SequenceState s = text.sequence;
    int[] chunk = Arrays.copyOfRange(ids, p.from(), p.to());
    boolean end = p.to() == ids.length;
    Tensor x =
        isFirst()
            ? s.sequence().embed(chunk, p.from(), chunk.length)
            : received(p.hidden(), chunk.length);
    Tensor y = descent.prefill(List.of(new PromptChunk(s, chunk, end, Optional.empty())), x);
    if (!isLast()) {
      links.sendPrompt(p.text(), p.from(), p.to(), y);
    } else if (end) {
      answer(text, s.afterPrompt(y), s.position());
    }
  }

  private Tensor received(float[] rows, int count) {
    Tensor x = descent.ops().empty(DType.F32, Shape.of(1, count, decoder.config().hidden()));
    x.span().segment().copyFrom(MemorySegment.ofArray(rows));
    return x;
  }

  private Text open(int number, int[] prompt) {
    int capacity = settings.capacity(prompt);
    int stage = links.stage();
    Sequence layers =
        new Sequence(decoder, capacity, descent.ops(), plan.from(stage), plan.to(stage));
    SequenceState s =
        SequenceState.of(
            layers, segments, settings.policy(), settings.maxPending(), 1, Optional.empty());
    Optional<Sampler> sampler =
        plan.answers(stage)
            ? Optional.of(new Sampler(settings.options().sampling(), decoder.config().vocab()))
            : Optional.empty();
    sampler.ifPresent(chooses -> chooses.read(prompt));
    Text text = new Text(number, s, Arrays.copyOf(prompt, capacity), sampler);
    texts.put(number, text);
    return text;
  }

  private void answer(Text text, Step step, int at) {
    int id = text.sampler.orElseThrow().choose(step.logits(), at);
    answers.accept(new ChosenToken(text.number, at, id, step.exit(), step.confidence()));
  }

  private void tokens(List<StageCommand.Row> rows) {
    Map<SequenceState, StageCommand.Row> wanted = new LinkedHashMap<>();
    for (StageCommand.Row r : rows) {
      Text text = texts.get(r.text());
      SequenceState s = text.sequence;
      text.saw(r.position(), r.id());
      s.begin(r.id());
      if (!isFirst()) {
        s.arrive(received(r.hidden(), 1));
      }
      if (r.wanted()) {
        s.knows(r.pending(), r.said());
        wanted.put(s, r);
      } else {
        s.readOne();
      }
    }
    List<SequenceState> deeper =
        descent.run(
            List.copyOf(wanted.keySet()),
            (s, step) -> answer(texts.get(wanted.get(s).text()), step, s.position() + 1));
    for (SequenceState s : deeper) {
      StageCommand.Row r = wanted.get(s);
      forward(
          texts.get(r.text()),
          Optional.of(
              new StageCommand.Row(
                  r.text(), r.position(), r.id(), true, r.pending(), s.said(), r.hidden())));
    }
    rows.stream().mapToInt(StageCommand.Row::text).distinct().forEach(t -> settle(texts.get(t)));
  }

  /** Sends on what has come to the outlet; the last token of it may still be without an answer. */
  private void forward(Text text, Optional<StageCommand.Row> last) {
    SequenceState s = text.sequence;
    for (int p = s.done(segments.getLast()); p < s.position(); p++) {
      boolean end = last.isPresent() && p == s.position() - 1;
      StageCommand.Row row =
          end
              ? last.get()
              : new StageCommand.Row(text.number, p, text.ids[p], false, 0, null, new float[0]);
      links.sendToken(row, s.sent(p));
    }
  }

  /** Sees to tokens that have left. */
  private void settle(Text text) {
    SequenceState s = text.sequence;
    if (isLast() || s.deficit() == 0) {
      return;
    }
    if (s.deficit() >= FILL_ROWS) {
      segments.forEach(g -> descent.complete(s, g));
    }
    forwardDone(text);
  }

  private void forwardDone(Text text) {
    if (!isLast()
        && text.sequence.done(segments.get(segments.size() - 2)) == text.sequence.position()) {
      forward(text, Optional.empty());
    }
  }

  /** Whether a token waits for layers of this stage. */
  boolean canFill() {
    return texts.values().stream().anyMatch(t -> t.sequence.deficit() > 0);
  }

  /** One segment of the text that lags most: a token that comes meanwhile need not wait long. */
  private void fill() {
    Text text =
        texts.values().stream()
            .max(
                Comparator.comparingInt((Text t) -> t.sequence.deficit())
                    .thenComparing(Text::number))
            .orElseThrow();
    for (Segment g : segments) {
      if (!g.isOutlet() && text.sequence.done(g) < text.sequence.position()) {
        descent.complete(text.sequence, g);
        break;
      }
    }
    forwardDone(text);
  }

  private void close(int number) {
    texts.remove(number).sequence.close();
    if (!isLast()) {
      links.sendClose(number);
    }
  }

  private void stop() {
    if (!isLast()) {
      links.sendStop();
    }
  }

  @Override
  public void close() {
    new ArrayList<>(texts.values()).forEach(t -> t.sequence.close());
    descent.close();
  }
}
