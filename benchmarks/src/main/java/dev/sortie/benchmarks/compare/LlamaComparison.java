package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.limit.Limits;
import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.benchmarks.measure.PeerWarmUp;
import dev.sortie.benchmarks.measure.Turns;
import dev.sortie.benchmarks.peer.LineProcess;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.device.KernelSets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** Prefill or decoding at full depth against llama.cpp: the same file, prompt and threads. */
public final class LlamaComparison implements Comparison {
  private static final int VOCAB_USED = 40_000;
  private static final int CAPACITY = 1024;

  /** Of 49,152 ids: at random one in 500 passes. */
  private static final int RANKS = 100;

  /** Kernel sets that are forced to stand for a smaller processor. */
  private static final Set<String> NARROW = Set.of("scalar", "simd128", "simd256");

  private final Phase phase;

  /** What is timed. */
  public enum Phase {
    /** Reading a prompt of 512 tokens. */
    PREFILL("prefill", 512, 1),
    /** 64 tokens after a short prompt, one after the other. */
    DECODE("decode", 8, 64);

    private final String field;
    private final int prompt;
    private final int count;

    Phase(String field, int prompt, int count) {
      this.field = field;
      this.prompt = prompt;
      this.count = count;
    }

    private int tokens() {
      return this == PREFILL ? prompt : count - 1; // the prompt's pass gives the first token
    }

    private double seconds(Generation g) {
      return this == PREFILL ? g.prefillSeconds() : g.decodeSeconds();
    }
  }

  /** A comparison of this phase. */
  public LlamaComparison(Phase phase) {
    this.phase = phase;
  }

  @Override
  public Measured run(Settings settings, Limits limits) {
    List<GgufModel> models =
        settings.choose(GgufModel.all(settings, System.getenv()), GgufModel::name);
    List<Row> rows = new ArrayList<>();
    String peer = "";
    try (Device device = Device.cpu(settings.threads())) {
      for (GgufModel file : models) {
        file.prepare(settings.peers(), settings);
        try (LanguageModel model =
                LanguageModel.load(file.file(), file.precision(), Arithmetic.INTEGER, device);
            LineProcess llama = start(file, settings);
            FullDepth strategy = new FullDepth(model.decoder(), CAPACITY, model.device())) {
          peer = llama.peer();
          Row row = new Duel(file, model, strategy, llama).run(settings.rounds(), limits);
          settings.progress().accept(Table.line(row));
          rows.add(row);
        }
      }
    }
    return new Measured(peer, rows);
  }

  /**
   * The strongest llama.cpp: the one that was built for this processor, if it was; where narrower
   * vectors are forced, the prebuilt one, whose vectors are of 256 bits at most.
   */
  private static LineProcess start(GgufModel file, Settings settings) {
    boolean narrow = NARROW.contains(System.getProperty(KernelSets.PROPERTY, ""));
    boolean own = settings.peers().hasNativeLlama() && !narrow;
    return LineProcess.start(
        settings.peers(),
        own ? "llama_native.py" : "llama.py",
        own ? "llama_cpp" : "xllamacpp",
        List.of(file.file().toString(), String.valueOf(settings.threads())));
  }

  /** Both sides with one model and one context each, whose memory serves all prompts. */
  private final class Duel {
    private final GgufModel file;
    private final LanguageModel model;
    private final FullDepth strategy;
    private final LineProcess llama;
    private int prompts;
    private List<Integer> ours = List.of();
    private List<Integer> theirs = List.of();

    Duel(GgufModel file, LanguageModel model, FullDepth strategy, LineProcess llama) {
      this.file = file;
      this.model = model;
      this.strategy = strategy;
      this.llama = llama;
    }

    Row run(int rounds, Limits limits) {
      int[] first = prompt();
      PeerWarmUp.run(() -> ourSeconds(first));
      peerSeconds(first);
      int rank =
          PeerAgreement.rank(
              file.name(), ourLogits(first), theirs.getFirst(), file.quantised() ? RANKS : 1);
      int equal = PeerAgreement.leading(ours, theirs);
      double[] seconds =
          Turns.medians(rounds, () -> ourSeconds(prompt()), () -> peerSeconds(prompt()));
      Map<String, Object> extra = new LinkedHashMap<>();
      extra.put("equal_ids", equal);
      extra.put("first_id_rank", rank);
      double tokens = phase.tokens();
      extra.put("limit_share", Figure.rounded(tokens / seconds[0] / limit(limits)));
      return new Row(
          file.name(), file.type(), tokens / seconds[0], tokens / seconds[1], "tokens/s", extra);
    }

    /** Tokens per second at best: each reads all weights, or does all operations of the layers. */
    private double limit(Limits limits) {
      if (phase == Phase.DECODE) {
        return limits.read() / file.bytes();
      }
      DecoderConfig c = model.config().decoder();
      long tables = (long) c.vocab() * c.hidden() * (c.tiedHead() ? 1 : 2);
      return limits.flops() / (2.0 * (model.decoder().parameterCount() - tables));
    }

    /** Another prompt each time, so that neither side can keep anything of the one before. */
    private int[] prompt() {
      int shift = 91 * prompts++;
      return IntStream.range(0, phase.prompt)
          .map(i -> (37 * i + shift) % VOCAB_USED + 100)
          .toArray();
    }

    private double ourSeconds(int[] prompt) {
      strategy.rewind(0);
      Generator generator =
          new Generator(strategy, model.tokenizer(), List.of(), model.config().decoder().vocab());
      GenerateOptions options =
          new GenerateOptions(phase.count, SamplingOptions.GREEDY, List.of(), true);
      Generation g = generator.run(prompt, options, token -> {});
      ours = g.tokens().stream().map(t -> t.id()).toList();
      return phase.seconds(g);
    }

    private float[] ourLogits(int[] prompt) {
      strategy.rewind(0);
      return strategy.prefill(prompt).logits().clone();
    }

    private double peerSeconds(int[] prompt) {
      JsonObject answer =
          llama.ask(Map.of("prompt", IntStream.of(prompt).boxed().toList(), "count", phase.count));
      theirs = answer.getInts("ids", 0, Integer.MAX_VALUE);
      return answer.getDouble(phase.field, 0, 3600);
    }
  }
}
