package dev.sortie.eetuning.decode.pipeline;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.GenerationState;
import dev.sortie.eetuning.decode.pass.ChunkedPrefill;
import dev.sortie.eetuning.decode.pipeline.StageCommand.Close;
import dev.sortie.eetuning.decode.pipeline.StageCommand.Fill;
import dev.sortie.eetuning.decode.pipeline.StageCommand.Prompt;
import dev.sortie.eetuning.decode.pipeline.StageCommand.Stop;
import dev.sortie.eetuning.decode.pipeline.StageCommand.Tokens;
import dev.sortie.eetuning.decode.policy.ExitSchedule;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.tensor.kernel.Kernels;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Decides what the first stage does. As soon as a text's next token is known, wherever it was
 * chosen, the token starts its way, while the stages behind the exit are still busy with the one
 * before. With several texts there is more under way, also at full depth.
 */
final class PipelineDriver {
  private final DecodingStages plan;
  private final List<int[]> prompts;
  private final PipelinedDecoder.Settings settings;
  private final Tokenizer tokenizer;
  private final Set<Integer> ends;
  private final int vocab;
  private final PipelinedDecoder.Listener listener;
  private final ReceiveQueue<ChosenToken> answers;
  private final Map<Integer, TextState> running = new HashMap<>();
  private final Deque<StageCommand.Row> ready = new ArrayDeque<>();
  private final Deque<Integer> ended = new ArrayDeque<>();
  private final Generation[] results;
  private int begun;

  /** A text that is being read or written. */
  private static final class TextState {
    final GenerationState state;
    final long start = System.nanoTime();

    /** Where its tokens left, by all exits of all stages. */
    final ExitSchedule schedule;

    int read;
    long prefilled;

    TextState(GenerationState state, ExitSchedule schedule) {
      this.state = state;
      this.schedule = schedule;
    }
  }

  /**
   * A driver.
   *
   * @param ends ids that end a text
   * @param answers of all stages
   */
  PipelineDriver(
      DecodingStages plan,
      List<int[]> prompts,
      PipelinedDecoder.Settings settings,
      Tokenizer tokenizer,
      Set<Integer> ends,
      int vocab,
      PipelinedDecoder.Listener listener,
      ReceiveQueue<ChosenToken> answers) {
    this.plan = plan;
    this.prompts = prompts;
    this.settings = settings;
    this.tokenizer = tokenizer;
    this.ends = ends;
    this.vocab = vocab;
    this.listener = listener;
    this.answers = answers;
    this.results = new Generation[prompts.size()];
  }

  /**
   * What the first stage does next; waits where there is nothing to do.
   *
   * @param canFill whether tokens that left early wait for its layers
   */
  StageCommand next(boolean canFill) {
    while (true) {
      for (ChosenToken a = answers.poll(); a != null; a = answers.poll()) {
        take(a);
      }
      if (!ended.isEmpty()) {
        return new Close(ended.remove());
      }
      if (!ready.isEmpty()) {
        List<StageCommand.Row> rows = new ArrayList<>();
        while (!ready.isEmpty() && rows.size() < Kernels.ROW_STABLE) {
          rows.add(ready.remove());
        }
        return new Tokens(rows);
      }
      Prompt chunk = nextChunk();
      if (chunk != null) {
        return chunk;
      }
      if (running.isEmpty()) {
        return new Stop();
      }
      if (canFill) {
        return new Fill();
      }
      take(answers.take());
    }
  }

  /** The next chunk of a prompt, null where there is none or enough texts are under way. */
  private Prompt nextChunk() {
    int last = begun - 1;
    TextState text = running.get(last);
    if (text == null || text.read == prompts.get(last).length) {
      if (begun == prompts.size() || running.size() >= settings.texts()) {
        return null;
      }
      last = begun++;
      text =
          new TextState(
              new GenerationState(prompts.get(last), settings.options(), tokenizer, ends, vocab),
              plan.schedule(settings.policy(), settings.maxPending()));
      running.put(last, text);
    }
    int length = prompts.get(last).length;
    int from = text.read;
    text.read = ChunkedPrefill.end(from, length, ChunkedPrefill.USUAL);
    return new Prompt(last, from, text.read, new float[0]);
  }

  private void take(ChosenToken a) {
    TextState text = running.get(a.text());
    long now = System.nanoTime();
    if (text.prefilled == 0) {
      text.prefilled = now;
    } else {
      text.schedule.left(plan.exit(a.exit()));
    }
    GeneratedToken token =
        text.state.take(a.id(), a.exit(), a.confidence(), Optional.empty(), () -> false);
    listener.token(a.text(), token);
    if (text.state.finish().isPresent()) {
      results[a.text()] =
          text.state.generation(
              text.state.finish().get(),
              (text.prefilled - text.start) * 1e-9,
              (now - text.prefilled) * 1e-9);
      running.remove(a.text());
      ended.add(a.text());
      listener.finished(a.text(), results[a.text()]);
    } else {
      int pending = text.schedule.pending();
      ready.add(
          new StageCommand.Row(a.text(), a.position(), a.id(), true, pending, null, new float[0]));
    }
  }

  /** What was written, by prompt, once all is done. */
  List<Generation> results() {
    return List.of(results);
  }
}
