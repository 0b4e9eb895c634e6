package dev.sortie.eetuning.explain;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.GenerationState;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.ChunkedPrefill;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.TokenLogprobs;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.explain.Explanation.Asked;
import dev.sortie.eetuning.explain.Explanation.ExitRun;
import dev.sortie.eetuning.explain.Explanation.FinalRun;
import dev.sortie.eetuning.explain.Explanation.LayerRun;
import dev.sortie.eetuning.explain.Explanation.ReadToken;
import dev.sortie.eetuning.explain.PassTrace.Pass;
import dev.sortie.nn.InputException;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.ObservedKernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * A text with a token to be explained. It is generated as always, up to the pass that has run the
 * last layer over the token, and read again a few times for better times. What all exits and the
 * final layer say comes from a second cache, in a pass that leaves nowhere: since caches are exact,
 * it makes no difference to the bit where the tokens before have left.
 */
final class ExplainedText {
  /** Behind that many more tokens all layers have run. */
  private static final int LATER = EarlyExit.MAX_PENDING + 1;

  /** Tokens of the prompt in a pass. */
  private static final int CHUNK = 128;

  /** Passes over the token at most, and for how long there is another one. */
  private static final int ROUNDS = 5;

  private static final long MOST_NANOS = 1_000_000_000;

  private final TokenExplainer explainer;
  private final int[] prompt;
  private final int number;
  private final GenerateOptions options;
  private final PassRunner runner;

  /** Of the token before the explained one, which is read. */
  private final int position;

  /** What is read as a prompt: all of it, but for the first token's way its end. */
  private final int[] before;

  private final Tokenizer tokenizer;
  private final int vocab;
  private final PassTrace trace;
  private final Device device;

  /** What was generated, up to the explained token or a little further. */
  private final List<GeneratedToken> tokens = new ArrayList<>();

  /** The tokens that were read one by one after {@link #before}. */
  private final List<Integer> read = new ArrayList<>();

  ExplainedText(
      TokenExplainer explainer,
      int[] prompt,
      int number,
      GenerateOptions options,
      PassRunner runner) {
    this.explainer = explainer;
    this.prompt = prompt.clone();
    this.number = number;
    this.options = options;
    this.runner = runner;
    this.position = prompt.length + number - 2;
    this.before = number == 1 ? Arrays.copyOf(prompt, prompt.length - 1) : this.prompt;
    this.tokenizer = explainer.model().tokenizer();
    this.vocab = explainer.model().config().decoder().vocab();
    this.trace = new PassTrace(new WeightNames(explainer.model().decoder(), explainer.exits()));
    Device computes = explainer.model().device();
    this.device = new Device(new ObservedKernels(computes.kernels(), trace), computes.pool());
  }

  Explanation explain() throws InterruptedException {
    ExitPolicy policy = number == 1 ? new MaxProbability(1) : explainer.policy();
    WatchedPolicy taking = watched(policy, true);
    List<List<Pass<Step>>> rounds = new ArrayList<>();
    try (EarlyExit text = open(taken(policy), taking, explainer.maxPending(), capacity())) {
      rounds.add(generate(text, taking));
      long end = System.nanoTime() + MOST_NANOS;
      while (rounds.size() < ROUNDS && System.nanoTime() < end) {
        rounds.add(readAgain(text, taking));
      }
    }
    List<Pass<Step>> first = rounds.stream().map(List::getFirst).toList();
    return withHeads(
        rounds.stream().map(this::layers).reduce(ExplainedText::quickest).orElseThrow(),
        kernels(first, ModelPart.EMBEDDING),
        taking.readings());
  }

  private WatchedPolicy watched(ExitPolicy policy, boolean takes) {
    return new WatchedPolicy(policy, takes, trace, tokenizer, vocab);
  }

  private EarlyExit open(Exits exits, ExitPolicy policy, int maxPending, int capacity) {
    return new EarlyExit(explainer.model().decoder(), exits, policy, capacity, maxPending, device);
  }

  private int capacity() {
    return Math.min(explainer.model().config().decoder().context(), position + 1 + LATER);
  }

  /** The exits that a policy may take. */
  private Exits taken(ExitPolicy policy) {
    Exits all = explainer.exits();
    if (!(policy instanceof ExitThresholds each)) {
      return all;
    }
    List<Integer> depths = each.asked();
    return all.with(all.exits().stream().filter(exit -> depths.contains(exit.depth())).toList());
  }

  /** Generates the text; returns the passes from the explained one on. */
  private List<Pass<Step>> generate(EarlyExit text, WatchedPolicy policy)
      throws InterruptedException {
    GenerationState state =
        new GenerationState(
            prompt, options.atMost(number + LATER), tokenizer, explainer.ends(), vocab);
    List<Pass<Step>> passes = new ArrayList<>();
    Step step = prefill(text);
    if (number == 1) {
      step = next(text, policy, prompt[prompt.length - 1], passes);
    }
    while (true) {
      tokens.add(state.next(step, () -> false));
      boolean ended = state.finish().isPresent() || text.position() == capacity();
      if (tokens.size() >= number && (ended || isComplete(passes))) {
        return passes;
      }
      if (ended) {
        throw new InputException(
            "the text ends with token %d, and token %d is asked for"
                .formatted(tokens.size(), number));
      }
      step = next(text, policy, tokens.getLast().id(), passes);
    }
  }

  /** Reads the prompt in chunks, which changes no bit; null where there is nothing to read. */
  private Step prefill(EarlyExit text) throws InterruptedException {
    Step step = null;
    for (int from = 0, to; from < before.length; from = to) {
      to = ChunkedPrefill.end(from, before.length, CHUNK);
      int[] chunk = Arrays.copyOfRange(before, from, to);
      step = runner.run(() -> text.prefill(chunk));
    }
    return step;
  }

  private Step next(EarlyExit text, WatchedPolicy policy, int id, List<Pass<Step>> passes)
      throws InterruptedException {
    read.add(id);
    return pass(text, policy, id, passes);
  }

  /** Reads a token; its pass is kept unless it comes before the explained one. */
  private Step pass(EarlyExit text, WatchedPolicy policy, int id, List<Pass<Step>> passes)
      throws InterruptedException {
    policy.next(text.position() == position);
    if (text.position() < position) {
      return runner.run(() -> text.next(id));
    }
    return runner.run(
        () -> {
          passes.add(trace.record(() -> text.next(id)));
          return passes.getLast().result();
        });
  }

  /** Whether all layers have run over the token. */
  private boolean isComplete(List<Pass<Step>> passes) {
    int layers = explainer.model().config().decoder().layers();
    return layers(passes).stream().filter(l -> l.by().isPresent()).count() == layers;
  }

  /** Reads the same tokens again. */
  private List<Pass<Step>> readAgain(EarlyExit text, WatchedPolicy policy)
      throws InterruptedException {
    List<Pass<Step>> passes = new ArrayList<>();
    text.rewind(before.length);
    for (int id : read) {
      pass(text, policy, id, passes);
    }
    return passes;
  }

  private static List<LayerRun> quickest(List<LayerRun> once, List<LayerRun> again) {
    return IntStream.range(0, once.size())
        .mapToObj(i -> once.get(i).quickest(again.get(i)))
        .toList();
  }

  private List<LayerRun> layers(List<Pass<Step>> passes) {
    List<LayerRun> runs = new ArrayList<>();
    for (int layer = 1; layer <= explainer.model().config().decoder().layers(); layer++) {
      runs.add(layer(layer, passes));
    }
    return runs;
  }

  private LayerRun layer(int layer, List<Pass<Step>> passes) {
    for (int i = 0; i < passes.size(); i++) {
      for (PartRun run : passes.get(i).parts()) {
        if (run.part().equals(ModelPart.layer(layer)) && run.isLayerOf(position)) {
          return new LayerRun(
              layer,
              OptionalInt.of(number + i),
              run.cache().orElseThrow().rows(),
              run.cache(),
              run.kernels());
        }
      }
    }
    return new LayerRun(layer, OptionalInt.empty(), 0, Optional.empty(), List.of());
  }

  /** The kernels of a part, each as it was in the quickest of these passes. */
  private static List<KernelUse> kernels(List<Pass<Step>> passes, ModelPart part) {
    return passes.stream()
        .map(
            pass ->
                pass.parts().stream()
                    .filter(run -> run.part().equals(part))
                    .flatMap(run -> run.kernels().stream())
                    .toList())
        .reduce(KernelUse::quickest)
        .orElseThrow();
  }

  /** Adds what all exits and the final layer say. */
  private Explanation withHeads(
      List<LayerRun> layers, List<KernelUse> embedding, List<ExitReading> asked)
      throws InterruptedException {
    WatchedPolicy all = watched(explainer.policy(), false);
    try (EarlyExit text = open(explainer.exits(), all, EarlyExit.MAX_PENDING, position + 1)) {
      prefill(text);
      List<Pass<Step>> passes = new ArrayList<>();
      int id = 0;
      for (int i = 0; text.position() <= position; i++) {
        id = read.get(i);
        pass(text, all, id, passes);
      }
      long end = System.nanoTime() + MOST_NANOS;
      while (passes.size() < ROUNDS && System.nanoTime() < end) {
        text.rewind(position);
        pass(text, all, id, passes);
      }
      GeneratedToken chosen = tokens.get(number - 1);
      return new Explanation(
          Arrays.stream(prompt).boxed().toList(),
          number,
          new ReadToken(chosen.id(), LikelyToken.text(tokenizer, chosen.id())),
          chosen.exit(),
          new ReadToken(id, LikelyToken.text(tokenizer, id)),
          position,
          embedding,
          layers,
          exits(all.readings(), asked, chosen.exit(), passes),
          last(passes.getLast().result(), chosen.id(), passes));
    }
  }

  private static List<ExitRun> exits(
      List<ExitReading> all, List<ExitReading> asked, OptionalInt taken, List<Pass<Step>> passes) {
    List<Integer> depths = asked.stream().map(ExitReading::depth).toList();
    return all.stream()
        .map(
            exit ->
                new ExitRun(
                    exit,
                    asked(exit.depth(), depths, taken),
                    kernels(passes, ModelPart.exit(exit.depth()))))
        .toList();
  }

  private static Asked asked(int depth, List<Integer> asked, OptionalInt taken) {
    if (asked.contains(depth)) {
      return taken.equals(OptionalInt.of(depth)) ? Asked.TAKEN : Asked.PASSED;
    }
    return taken.isPresent() && depth > taken.getAsInt() ? Asked.BELOW : Asked.SKIPPED;
  }

  private FinalRun last(Step step, int chosen, List<Pass<Step>> passes) {
    TokenLogprobs top = TokenLogprobs.of(step.logits(), chosen, LikelyToken.COUNT);
    return new FinalRun(
        step.confidence(), LikelyToken.of(top, 1, tokenizer), kernels(passes, ModelPart.FINAL));
  }
}
