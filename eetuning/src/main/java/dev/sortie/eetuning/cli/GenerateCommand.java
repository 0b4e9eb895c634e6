package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.cli.DecodingMixin.Decoding;
import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.Speculative;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Json;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Generates text. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    description =
        "Continues a text or answers a conversation, at full depth, with early exits or by guessing"
            + " ahead; on a terminal each token is coloured by the exit that chose it.")
final class GenerateCommand implements Callable<Integer> {
  @Mixin private ComputeOptions compute;
  @Mixin private ModelOptions model;
  @Mixin private TextInput prompt;

  @Option(
      names = "--messages",
      paramLabel = "FILE",
      description =
          "A conversation to answer: a JSON list of objects with role and content, written down by"
              + " the model's chat template.")
  private Path messages;

  @Mixin private TemplateMixin template;
  @Mixin private DecodingMixin decoding;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "128",
      description =
          "Tokens at most. They and the prompt must fit in the model's context: a longer text is"
              + " refused, the context does not slide. Default: ${DEFAULT-VALUE}.")
  private int maxTokens;

  @Option(
      names = "--parse-special",
      description =
          "Special tokens spelled in the prompt become those tokens. In --messages only those of"
              + " the template do; in messages they stay text.")
  private boolean parseSpecial;

  @Option(
      names = "--tp",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Ranks that share the weights, in a job started by launch; each holds and reads its share"
              + " alone. At full depth only. Default: ${DEFAULT-VALUE}.")
  private int tp;

  @Option(names = "--json", description = "Text, trace and timing as JSON on standard output.")
  private boolean json;

  @Override
  public Integer call() {
    Decoding d = decoding.decoding(maxTokens);
    if (tp > 1 && (d.early() || d.guesses())) {
      throw new InputException(
          "--tp "
              + tp
              + " decodes at full depth: what to skip or guess follows times that ranks measure"
              + " each for itself; leave out --exits and --strategy");
    }
    Input input = input();
    try (TensorRanks ranks = TensorRanks.join(tp, System.getenv());
        Device device = compute.open();
        LanguageModel m = model.load(device, ranks.builder(), !ranks.leads());
        NativeArena arena = new NativeArena("exits")) {
      int[] ids =
          input.chat()
              ? Prompt.orBos(
                  m,
                  input.template().encode(input.conversation(), template.options(), m.tokenizer()))
              : Prompt.encode(m, input.text(), new EncodeOptions(true, parseSpecial));
      int capacity = Prompt.capacity(m, ids, maxTokens);
      Exits exits = decoding.exits(d, m, arena, device);
      try (DecodingStrategy s = decoding.strategy(d, m, exits, capacity, device)) {
        List<Integer> ends = input.chat() ? Prompt.endsOfAnswer(m) : m.config().eos();
        Generator generator = new Generator(s, m.tokenizer(), ends, m.config().decoder().vocab());
        if (!ranks.leads()) {
          generator.run(ids, d.options(), t -> {}); // computes with the others
        } else if (json) {
          Generation g = generator.run(ids, d.options(), t -> {});
          Map<String, Object> result = GenerationJson.of(g);
          if (s instanceof Speculative guessed) {
            result.put("speculation", GenerationJson.speculation(guessed.report()));
          }
          result.put("memory", model.memory());
          System.out.println(Json.compact(result));
        } else {
          show(generator, ids, d.options(), m, exits, input);
          if (s instanceof Speculative guessed) {
            show(guessed.report());
          }
        }
      }
    }
    return 0;
  }

  /**
   * What to go on from: a text, or a conversation and the template that writes it down.
   *
   * @param template null for a text
   */
  private record Input(String text, List<ChatMessage> conversation, ChatTemplate template) {
    boolean chat() {
      return template != null;
    }
  }

  private Input input() {
    if (messages == null) {
      return new Input(prompt.read("--prompt"), List.of(), null);
    }
    if (prompt.isGiven()) {
      throw new InputException(
          "give --prompt TEXT, --prompt-file FILE or --messages FILE, one of the three");
    }
    List<ChatMessage> conversation = ChatMessage.read(messages);
    ChatTemplate t = template.template(model.path());
    return new Input(t.render(conversation, template.options()), conversation, t);
  }

  private void show(
      Generator generator,
      int[] ids,
      GenerateOptions options,
      LanguageModel m,
      Exits exits,
      Input input) {
    ColouredText out = ColouredText.to(System.out, m.config().decoder().layers());
    if (!exits.exits().isEmpty()) {
      out.legend(exits.depths());
    }
    if (!input.chat()) {
      out.plain(input.text());
    }
    Generation g = generator.run(ids, options, t -> out.token(t.text(), t.exit()));
    out.end();
    System.err.printf(
        Locale.ROOT,
        "%d tokens, %.0f tokens/s (prompt of %d: %.0f tokens/s)%n",
        g.tokens().size(),
        g.decodeTokensPerSecond(),
        ids.length,
        g.prefillTokensPerSecond());
  }

  private static void show(SpeculationReport report) {
    StringBuilder line = new StringBuilder(report.passes() + " passes");
    report
        .sources()
        .forEach(
            (name, g) ->
                line.append(
                    "; %s: %d of %d guesses right".formatted(name, g.accepted(), g.verified())));
    System.err.println(line);
  }
}
