package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.base.OutputReader;
import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.eetuning.cli.option.DecodedModelMixin;
import dev.sortie.eetuning.cli.option.DecodingMixin;
import dev.sortie.eetuning.cli.option.DecodingMixin.Decoding;
import dev.sortie.eetuning.cli.option.EdgeMixin;
import dev.sortie.eetuning.cli.option.GrammarMixin;
import dev.sortie.eetuning.cli.option.PipelineMixin;
import dev.sortie.eetuning.cli.option.TemplateMixin;
import dev.sortie.eetuning.cli.option.TextInputMixin;
import dev.sortie.eetuning.cli.view.ColouredText;
import dev.sortie.eetuning.cli.view.EdgeView;
import dev.sortie.eetuning.cli.view.GenerationJson;
import dev.sortie.eetuning.cli.view.OrderedTexts;
import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.eetuning.decode.edge.EdgeDecoder;
import dev.sortie.eetuning.decode.edge.EdgeGeneration;
import dev.sortie.eetuning.decode.edge.EdgeToken;
import dev.sortie.eetuning.decode.grammar.Grammar;
import dev.sortie.eetuning.decode.pipeline.DecodingRanks;
import dev.sortie.eetuning.decode.pipeline.PipelinedDecoder;
import dev.sortie.eetuning.decode.single.KernelWarmUp;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.file.TextFiles;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Generates text. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    description =
        "Continues a text or answers a conversation, at full depth, with early "
            + "exits or with speculative decoding. On a terminal, each token is "
            + "coloured by the exit that chose it.")
public final class GenerateCommand implements Callable<Integer> {
  /** The exit code if an edge has decided tokens that were the cloud's. */
  private static final int WITHOUT_CLOUD = 3;

  /** Characters; a longer text has more tokens than few-row kernels take. */
  private static final int SHORT_TEXT = 500;

  @Mixin private ComputeMixin compute;
  @Mixin private DecodedModelMixin model;
  @Mixin private TextInputMixin prompt;

  @Option(
      names = "--messages",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description =
          "A conversation to answer: a JSON list of objects with role and content, "
              + "rendered with the model's chat template."
              + ReadOnce.HELP)
  private Path messages;

  @Mixin private TemplateMixin template;
  @Mixin private DecodingMixin decoding;
  @Mixin private GrammarMixin form;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "128",
      description =
          "Maximum number of tokens to generate. Prompt and answer must fit into "
              + "the model's context; there is no sliding context. Default: "
              + "${DEFAULT-VALUE}.")
  private int maxTokens;

  @Option(
      names = "--parse-special",
      description =
          "Parse special tokens in the prompt. With --messages, only the "
              + "template's own special tokens are parsed; in the messages they remain "
              + "text.")
  private boolean parseSpecial;

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description =
          "A UTF-8 file with one prompt per line, used as is. Each prompt is "
              + "continued separately."
              + ReadOnce.HELP)
  private Path prompts;

  @Mixin private PipelineMixin pipeline;
  @Mixin private EdgeMixin edge;

  @Option(
      names = "--json",
      description = "Print text, trace and timings as JSON to standard output.")
  private boolean json;

  @Override
  public Integer call() {
    Decoding given = decoding.decoding(maxTokens);
    pipeline.check(prompts != null);
    if (edge.isGiven()) {
      return onEdge(given.alone());
    }
    Decoding d = pipeline.ranks() > 1 ? given.together() : given;
    Optional<Grammar> grammar = form.read(d.options());
    if (grammar.isPresent() && pipeline.pp > 1) {
      throw new UsageException(
          "--pp %d: stages of a pipeline choose tokens without a grammar; leave out --pp, or --json-schema and --grammar"
              .formatted(pipeline.pp));
    }
    List<Input> inputs = inputs();
    try (DecodingRanks ranks = DecodingRanks.join(pipeline.tp, pipeline.pp, System.getenv());
        Device device = compute.open(ranks.neighbours())) {
      try {
        if (pipeline.pp > 1) {
          pipelined(d, inputs, ranks, device);
        } else {
          oneByOne(d, grammar, inputs, ranks, device);
        }
      } catch (RuntimeException e) {
        ranks.abort(String.valueOf(e.getMessage()));
        throw e;
      }
    }
    return 0;
  }

  private void oneByOne(
      Decoding d,
      Optional<Grammar> grammar,
      List<Input> inputs,
      DecodingRanks ranks,
      Device opened) {
    try (LanguageModel m =
            model.load(
                opened,
                config -> ranks.builder(),
                !ranks.leads(),
                t -> length(inputs, t),
                d.verifiesDrafts());
        NativeArena arena = new NativeArena("exits")) {
      Device device = m.device();
      Exits exits =
          pipeline.tp == 1
              ? decoding.exits(d, m, arena, device)
              : decoding.exits(
                  d, m, depths(decoding.outlines(d, m.config().decoder())), arena, device);
      GenerateOptions options =
          GrammarMixin.apply(d.options(), grammar, m, ends(inputs.getFirst(), m));
      List<Map<String, Object>> results = new ArrayList<>();
      for (Input input : inputs) {
        int[] ids = ids(input, m);
        int capacity = Prompt.capacity(m, ids, maxTokens);
        try (DecodingStrategy s = decoding.strategy(d, m, exits, capacity, device)) {
          Generator generator =
              new Generator(s, m.tokenizer(), ends(input, m), m.config().decoder().vocab());
          if (!ranks.leads()) {
            generator.run(ids, options, t -> {}); // computes with the others
          } else if (json) {
            Map<String, Object> result =
                GenerationJson.of(generator.run(ids, options, t -> OutputReader.require()));
            if (s.speculation().passes() > 0) {
              result.put("speculation", GenerationJson.speculation(s.speculation()));
            }
            results.add(result);
          } else {
            ColouredText out = begin(input, m, exits.depths());
            show(generator.run(ids, options, t -> out.token(t.text(), t.exit())), out);
            if (s.speculation().passes() > 0) {
              show(s.speculation());
            }
          }
        }
      }
      if (json && ranks.leads()) {
        print(results, m);
      }
    }
  }

  private void pipelined(Decoding d, List<Input> inputs, DecodingRanks ranks, Device device) {
    PipelineRun run = new PipelineRun(model, decoding, pipeline, d);
    run.load(
        ranks,
        device,
        (m, decoder, depths) -> {
          List<int[]> ids = inputs.stream().map(input -> ids(input, m)).toList();
          ids.forEach(i -> Prompt.capacity(m, i, maxTokens));
          OrderedTexts texts = new OrderedTexts(i -> begin(inputs.get(i), m, depths), this::show);
          PipelinedDecoder.Listener listener = json ? new Awaited() : texts;
          PipelinedDecoder.Result result =
              decoder.run(ids, m.tokenizer(), ends(inputs.getFirst(), m), listener);
          if (ranks.leads()) {
            if (json) {
              print(result.texts().stream().map(GenerationJson::of).toList(), m);
            }
            pipeline.draw(result.times());
          }
        });
  }

  private int onEdge(Decoding d) {
    if (pipeline.ranks() > 1) {
      throw new UsageException("--edge is for one process; leave out --tp and --pp");
    }
    if (form.read(d.options()).isPresent()) {
      throw new UsageException(
          "--edge: the cloud chooses tokens without a grammar; leave out --edge, or --json-schema"
              + " and --grammar");
    }
    List<Input> inputs = inputs();
    List<EdgeGeneration> texts = new ArrayList<>();
    try (Device device = compute.open()) {
      new EdgeRun(model, decoding, edge, d)
          .load(
              device,
              (m, decoder, depths) -> {
                for (Input input : inputs) {
                  texts.add(onEdge(input, m, decoder, depths));
                }
                if (json) {
                  print(texts.stream().map(GenerationJson::of).toList(), m);
                }
              });
    }
    return texts.stream().allMatch(t -> t.count(EdgeToken.ALONE) == 0) ? 0 : WITHOUT_CLOUD;
  }

  private EdgeGeneration onEdge(
      Input input, LanguageModel m, EdgeDecoder decoder, List<Integer> depths) {
    int[] ids = ids(input, m);
    Prompt.capacity(m, ids, maxTokens);
    if (json) {
      return decoder.run(ids, ends(input, m), (t, by) -> OutputReader.require());
    }
    ColouredText out = begin(input, m, depths);
    EdgeGeneration g =
        decoder.run(
            ids,
            ends(input, m),
            (t, by) -> {
              if (by == EdgeToken.ALONE) {
                out.marked(t.text(), t.exit());
              } else {
                out.token(t.text(), t.exit());
              }
            });
    show(g.text(), out);
    EdgeView.show(g);
    return g;
  }

  /** Texts that are printed at the end: no token is chosen for a reader who has gone. */
  private static final class Awaited implements PipelinedDecoder.Listener {
    @Override
    public void token(int text, GeneratedToken token) {
      OutputReader.require();
    }

    @Override
    public void finished(int text, Generation generation) {}
  }

  /** The result as JSON: of one text, or of all lines of a file. */
  private void print(List<Map<String, Object>> results, LanguageModel m) {
    Map<String, Object> all = new LinkedHashMap<>();
    if (prompts == null) {
      all.putAll(results.getFirst());
    } else {
      all.put("texts", results);
    }
    all.put("arithmetic", m.arithmetic().word());
    all.put("memory", model.memory());
    System.out.println(Json.compact(all));
  }

  private static IntPredicate depths(List<ExitOutline> exits) {
    Set<Integer> depths =
        exits.stream().map(ExitOutline::depth).collect(Collectors.toUnmodifiableSet());
    return depths::contains;
  }

  private int[] ids(Input input, LanguageModel m) {
    return input.chat()
        ? Prompt.orBos(
            m, input.template().encode(input.conversation(), template.options(), m.tokenizer()))
        : Prompt.encode(m, input.text(), new EncodeOptions(true, parseSpecial));
  }

  /** Tokens of the prompt that kernels are compiled for; a long one is not encoded twice. */
  private int length(List<Input> inputs, Tokenizer tokenizer) {
    Input first = inputs.getFirst();
    return inputs.size() > 1 || first.text().length() > SHORT_TEXT
        ? KernelWarmUp.LONG_PROMPT
        : tokenizer.encode(first.text(), new EncodeOptions(true, first.chat() || parseSpecial))
            .length;
  }

  private static List<Integer> ends(Input input, LanguageModel m) {
    return input.chat() ? Prompt.endsOfAnswer(m) : m.config().eos();
  }

  /**
   * What to continue: a text, or a conversation and the template that writes it down.
   *
   * @param template null for a text
   */
  private record Input(String text, List<ChatMessage> conversation, ChatTemplate template) {
    boolean chat() {
      return template != null;
    }
  }

  private List<Input> inputs() {
    if (messages == null) {
      template.refuseWithoutMessages();
    }
    int given = prompt.given() + (messages == null ? 0 : 1) + (prompts == null ? 0 : 1);
    if (given != 1) {
      throw new UsageException(
          "give one of --prompt TEXT, --prompt-file FILE, --prompts FILE and --messages FILE, not %s"
              .formatted(given == 0 ? "none" : "several"));
    }
    if (prompt.given() == 1) {
      return List.of(new Input(prompt.read("--prompt", "--prompt-file"), List.of(), null));
    }
    if (prompts != null) {
      List<String> lines = TextFiles.readAny(prompts).lines().toList();
      if (lines.isEmpty()) {
        throw new InputException(NamedInput.name(prompts) + ": no line, so no prompt");
      }
      return lines.stream().map(line -> new Input(line, List.of(), null)).toList();
    }
    List<ChatMessage> conversation = ChatMessage.read(messages);
    ChatTemplate t = template.template(model.path());
    return List.of(new Input(t.render(conversation, template.options()), conversation, t));
  }

  /** Shows what stands before the text that is generated. */
  private static ColouredText begin(Input input, LanguageModel m, List<Integer> depths) {
    ColouredText out = ColouredText.to(System.out, m.config().decoder().layers());
    if (!depths.isEmpty()) {
      out.legend(depths);
    }
    if (!input.chat()) {
      out.plain(input.text());
    }
    return out;
  }

  /** Shows what stands after it. */
  private void show(Generation g, ColouredText out) {
    out.end();
    System.err.printf(
        Locale.ROOT,
        "%d tokens, %.0f tokens/s (prompt of %d: %.0f tokens/s)%n",
        g.tokens().size(),
        g.decodeTokensPerSecond(),
        g.promptIds().length,
        g.prefillTokensPerSecond());
  }

  private static void show(SpeculationReport report) {
    StringBuilder line = new StringBuilder(report.passes() + " passes");
    report
        .sources()
        .forEach(
            (name, g) ->
                line.append(
                    "; %s: %d of %d draft tokens accepted"
                        .formatted(name, g.accepted(), g.verified())));
    System.err.println(line);
  }
}
