package dev.sortie.eetuning.decode.pipeline;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.tensor.device.Device;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Decodes texts on several ranks, each of which has some of the layers and the exits after them
 * (pipeline-based inference of EE-LLM, arXiv 2312.04916). A token that leaves at an exit is told to
 * the first stage at once, which begins with the next one, while the stages behind give the token
 * its keys and values. Several texts are under way together, so that stages have work at full depth
 * too.
 *
 * <p>Each token goes through all layers in the end, in batches of stable rows, so that keys, values
 * and hidden states have the bits of {@link EarlyExit} on one rank. Exits are asked by the same
 * rule, {@code maxPending} included: after so many tokens that left, the next one goes all the way.
 * So ids, exits and confidences are those of one rank, whatever the timing.
 */
public final class PipelinedDecoder {
  private final Decoder decoder;
  private final Exits exits;
  private final DecodingStages plan;
  private final StageLinks links;
  private final Device device;
  private final Settings settings;

  /**
   * How to decode, the same on all ranks.
   *
   * @param policy when a token leaves at an exit
   * @param maxPending as in {@link EarlyExit}
   * @param options when a text ends, and how tokens are chosen
   * @param texts texts under way at one time, at least 1
   * @param traced times to remember on each rank, 0 for none
   */
  public record Settings(
      ExitPolicy policy, int maxPending, GenerateOptions options, int texts, int traced) {
    public Settings {
      if (texts < 1) {
        throw new UsageException("--batch " + texts + " must be at least 1");
      }
      if (!options.rules().isEmpty() || options.logprobs().isPresent()) {
        throw new IllegalArgumentException("a pipeline applies no rules and gives no logprobs");
      }
    }

    int capacity(int[] prompt) {
      return prompt.length + options.maxTokens();
    }
  }

  /** Is told of tokens on the first rank. */
  public interface Listener {
    /** Ignores them. */
    Listener NONE =
        new Listener() {
          @Override
          public void token(int text, GeneratedToken token) {}

          @Override
          public void finished(int text, Generation generation) {}
        };

    /** A token of a text, counted from 0. */
    void token(int text, GeneratedToken token);

    /** A text has ended. */
    void finished(int text, Generation generation);
  }

  /**
   * What came of it, on the first rank; empty on the others.
   *
   * @param texts by prompt
   * @param times what each stage did when, the last of it
   */
  public record Result(List<Generation> texts, List<StageTime> times) {}

  /**
   * One rank's part of the pipeline.
   *
   * @param decoder with the layers of this rank's stage
   * @param exits those of this rank's stage
   * @param plan the same on all ranks
   * @param links stay open
   */
  public PipelinedDecoder(
      Decoder decoder,
      Exits exits,
      DecodingStages plan,
      StageLinks links,
      Device device,
      Settings settings) {
    if (plan.count() != links.count()) {
      throw new IllegalArgumentException(
          plan.count() + " stages on " + links.count() + " ranks of a pipeline");
    }
    EarlyExit.check(exits, settings.policy(), settings.maxPending());
    this.decoder = decoder;
    this.exits = exits;
    this.plan = plan;
    this.links = links;
    this.device = device;
    this.settings = settings;
  }

  /**
   * Writes a text after each prompt. A collective call of all ranks, with the same arguments; a
   * failure ends all of them.
   *
   * @param prompts at least one, of at least one token each
   * @param ends ids that end a text
   * @throws InputException if a text does not fit in the model's context, or ranks differ
   */
  public Result run(
      List<int[]> prompts, Tokenizer tokenizer, List<Integer> ends, Listener listener) {
    orAbort(
        () -> {
          prompts.forEach(p -> decoder.requireContext(settings.capacity(p)));
          links.requireSame(description(prompts, ends));
          return null;
        });
    return decode(prompts, tokenizer, new HashSet<>(ends), listener);
  }

  /** A failure ends all ranks; else those that listen to this one would wait for ever. */
  private <T> T orAbort(Supplier<T> body) {
    try {
      return body.get();
    } catch (RuntimeException | Error e) {
      links.abort(String.valueOf(e.getMessage()));
      throw e;
    }
  }

  private String description(List<int[]> prompts, List<Integer> ends) {
    return String.join(
        "; ",
        device.kernels().name(),
        plan.toString(),
        settings.toString(),
        ends.toString(),
        prompts.stream().map(Arrays::toString).toList().toString());
  }

  private Result decode(
      List<int[]> prompts, Tokenizer tokenizer, Set<Integer> ends, Listener listener) {
    StageTrace trace = new StageTrace(settings.traced());
    try (ReceiveQueue<ChosenToken> answers = new ReceiveQueue<>();
        ReceiveQueue<StageCommand> in = new ReceiveQueue<>();
        PipelineStage stage =
            new PipelineStage(
                decoder,
                exits,
                plan,
                links,
                device,
                prompts,
                settings,
                a -> {
                  if (links.leads()) {
                    answers.put(a);
                  } else if (links.decides() && links.stage() > 0) {
                    links.sendAnswer(a.numbers());
                  }
                })) {
      PipelineDriver driver =
          links.leads()
              ? new PipelineDriver(
                  plan,
                  prompts,
                  settings,
                  tokenizer,
                  ends,
                  decoder.config().vocab(),
                  listener,
                  answers)
              : null;
      listen(answers, in);
      StageCommands commands =
          links.stage() == 0
              ? new StageCommands.First(links, driver)
              : new StageCommands.Later(links, in);
      List<StageTime> times =
          orAbort(
              () -> {
                work(stage, commands, trace);
                return trace.gathered(links);
              });
      return links.leads() ? new Result(driver.results(), times) : new Result(List.of(), List.of());
    }
  }

  private void work(PipelineStage stage, StageCommands commands, StageTrace trace) {
    StageCommand command;
    do {
      command = commands.next(stage.canFill());
      long start = System.nanoTime();
      stage.run(command);
      trace.note(links.stage(), command, start);
    } while (!(command instanceof StageCommand.Stop));
    if (links.stage() > 0 && links.decides() && plan.answers(links.stage())) {
      links.sendAnswer(ChosenToken.endOfStream());
    }
  }

  /** Begins to hear what other ranks send to this one. */
  private void listen(ReceiveQueue<ChosenToken> answers, ReceiveQueue<StageCommand> in) {
    if (links.leads()) {
      for (int s = 1; s < plan.count(); s++) {
        int from = s;
        if (plan.answers(s)) {
          answers.listen(
              "sortie-answers-" + s,
              () -> {
                long[] n = links.receiveAnswer(from);
                return ChosenToken.isEndOfStream(n) ? null : ChosenToken.of(n);
              },
              a -> false);
        }
      }
    }
    if (links.stage() > 0) {
      int width = decoder.config().hidden();
      in.listen(
          "sortie-stage-" + links.stage(),
          () -> links.receive(width),
          o -> o instanceof StageCommand.Stop);
    }
  }
}
