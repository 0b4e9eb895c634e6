package dev.sortie.eetuning.decode.edge;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.GenerationState;
import dev.sortie.eetuning.decode.pass.Descent;
import dev.sortie.eetuning.decode.pass.Segment;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.decode.pass.SequenceState;
import dev.sortie.eetuning.decode.policy.ExitEvidence;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.parallel.comm.transport.tcp.LinkKeys;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BiConsumer;

/**
 * Writes texts with the first layers of a model and their exits here, and the other layers in the
 * cloud: cloud-edge collaborative inference of CE-CoLLM (arXiv 2411.02829), with its latency-aware
 * early exit, asynchronous upload and standalone mode.
 *
 * <p>Definition. The edge has layers {@code 1 .. N} and exits up to the one after layer {@code N};
 * a {@link CloudServer} has layers {@code N+1 .. L} and the head. A token at which an exit is sure,
 * by the policy's threshold, is decided by the edge, and no answer is waited for. The cloud decides
 * any other token, from its hidden state after layer {@code N}. States of all tokens are sent when
 * the edge has them, so the cloud's KV cache lacks none. If the cloud does not answer in time, the
 * exit after layer {@code N} decides that token whatever its confidence, and all later ones of the
 * text at which no exit is sure; they are {@linkplain EdgeToken#ALONE marked}.
 *
 * <p>Unlike in the paper, states travel in F32 unless the user says otherwise, and both sides ask
 * and complete by the rules of {@link EarlyExit}. So a text without marks has the ids, exits and
 * confidences of {@code EarlyExit} in one process with the same exits, to the bit, if both sides
 * compute with the same kernel set, matrix type and arithmetic.
 */
public final class EdgeDecoder {
  private final LanguageModel model;
  private final Exits exits;
  private final int layers;
  private final Settings settings;

  /**
   * How to decode.
   *
   * @param host of the cloud, and its port
   * @param keys of the cloud
   * @param policy when a token leaves at an exit
   * @param maxPending as in {@link EarlyExit}
   * @param options when a text ends, and how tokens are chosen
   * @param type in which states travel
   * @param timeout how long the edge waits for a token of the cloud; ten times as long for the
   *     first
   */
  public record Settings(
      String host,
      int port,
      LinkKeys keys,
      ExitPolicy policy,
      int maxPending,
      GenerateOptions options,
      LinkType type,
      Duration timeout) {
    public Settings {
      if (!options.rules().isEmpty() || options.logprobs().isPresent()) {
        throw new IllegalArgumentException("the cloud applies no rules and gives no logprobs");
      }
    }
  }

  /**
   * An edge.
   *
   * @param model with the layers of the edge, and what its exits read of the head
   * @param exits of the edge's layers; the last stands after the last of them
   * @param layers of the edge, 1 and more, but not all
   */
  public EdgeDecoder(LanguageModel model, Exits exits, int layers, Settings settings) {
    if (exits.depths().isEmpty() || exits.depths().getLast() != layers) {
      throw new IllegalArgumentException(
          "an edge of %d layers with exits after %s".formatted(layers, exits.depths()));
    }
    EarlyExit.check(exits, settings.policy(), settings.maxPending());
    settings.type().check(model.config().decoder().hidden());
    this.model = model;
    this.exits = exits;
    this.layers = layers;
    this.settings = settings;
  }

  /**
   * Writes a text after a prompt.
   *
   * @param prompt at least one token
   * @param ends ids that end a text
   * @param listener gets each token as it comes, and who decided it
   * @throws InputException if the text does not fit in the model's context, or the cloud has
   *     another model or other layers
   */
  public EdgeGeneration run(
      int[] prompt, List<Integer> ends, BiConsumer<GeneratedToken, EdgeToken> listener) {
    DecoderConfig c = model.config().decoder();
    int room = prompt.length + settings.options().maxTokens();
    model.decoder().requireContext(room);
    GenerationState state =
        new GenerationState(
            prompt, settings.options(), model.tokenizer(), new HashSet<>(ends), c.vocab());
    List<Segment> segments = Segment.of(exits, 0, layers, false);
    Frame.Open open =
        new Frame.Open(
            Frame.VERSION,
            model.statesSha256(),
            c.layers(),
            c.hidden(),
            c.vocab(),
            layers,
            settings.type(),
            room,
            settings.options().sampling());
    try (Descent descent = new Descent(model.decoder(), segments, model.device());
        SequenceState sequence =
            SequenceState.of(
                new Sequence(model.decoder(), room, descent.ops(), 0, layers),
                segments,
                new Askable(settings.policy()),
                settings.maxPending(),
                1,
                Optional.empty());
        CloudLink cloud = new CloudLink(settings.host(), settings.port(), settings.keys(), open)) {
      EdgeText text = new EdgeText(descent, sequence, cloud, settings.type(), settings.timeout());
      return write(prompt, state, text, cloud, listener);
    }
  }

  private EdgeGeneration write(
      int[] prompt,
      GenerationState state,
      EdgeText text,
      CloudLink cloud,
      BiConsumer<GeneratedToken, EdgeToken> listener) {
    List<EdgeToken> by = new ArrayList<>();
    long start = System.nanoTime();
    EdgeText.Next next = text.prompt(prompt);
    long prefilled = System.nanoTime();
    while (true) {
      GeneratedToken token = take(state, next);
      by.add(next.by());
      listener.accept(token, next.by());
      if (state.finish().isPresent()) {
        double decode = (System.nanoTime() - prefilled) * 1e-9;
        return new EdgeGeneration(
            state.generation(state.finish().get(), (prefilled - start) * 1e-9, decode),
            by,
            cloud.lost(),
            isExact(cloud),
            cloud.sent(),
            cloud.received(),
            cloud.roundTrips());
      }
      next = text.next(token.id());
    }
  }

  private static GeneratedToken take(GenerationState state, EdgeText.Next next) {
    return next.chosen()
        .map(
            a ->
                state.take(
                    a.id(), OptionalInt.empty(), a.confidence(), Optional.empty(), () -> false))
        .orElseGet(() -> state.next(next.logits().orElseThrow(), () -> false));
  }

  private boolean isExact(CloudLink cloud) {
    return settings.type() == LinkType.F32
        && cloud.computes().filter(Computation.of(model)::equals).isPresent();
  }

  /** A policy whose exits are ready to be asked, even if it takes none: the cloud may get lost. */
  private record Askable(ExitPolicy policy) implements ExitPolicy {
    @Override
    public double confidence(ExitEvidence evidence) {
      return policy.confidence(evidence);
    }

    @Override
    public boolean exits(int depth, double confidence) {
      return policy.exits(depth, confidence);
    }

    @Override
    public boolean never() {
      return false;
    }

    @Override
    public boolean rests() {
      return policy.rests();
    }

    @Override
    public boolean usesProbe() {
      return policy.usesProbe();
    }

    @Override
    public boolean worthwhile(int depth, double probe) {
      return policy.worthwhile(depth, probe);
    }
  }
}
