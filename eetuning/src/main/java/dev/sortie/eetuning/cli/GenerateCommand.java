package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.EarlyExit;
import dev.sortie.eetuning.decode.FullDepth;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.MaxProbability;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Json;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
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
        "Continues a text, at full depth or with early exits; on a terminal each token is coloured by the exit that chose it.")
final class GenerateCommand implements Callable<Integer> {
  @Mixin private ComputeOptions compute;
  @Mixin private ModelOptions model;
  @Mixin private TextInput prompt;
  @Mixin private SamplingMixin sampling;

  @Option(names = "--exits", paramLabel = "DIR", description = "Folder with exits.")
  private Path exitsFolder;

  @Option(
      names = "--threshold",
      paramLabel = "X",
      defaultValue = "0.8",
      description =
          "Confidence at which an exit is taken; 1 never exits. Default: ${DEFAULT-VALUE}.")
  private double threshold;

  @Option(
      names = "--strategy",
      paramLabel = "WORD",
      description = "full or early-exit. Default: early-exit where --exits is given.")
  private String strategy;

  @Option(
      names = "--max-pending",
      paramLabel = "N",
      defaultValue = "15",
      description =
          "Tokens whose deeper layers may wait to be computed, 0 to 15. Default: ${DEFAULT-VALUE}.")
  private int maxPending;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "128",
      description = "Tokens at most. Default: ${DEFAULT-VALUE}.")
  private int maxTokens;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "A text that ends the output; may be repeated.")
  private List<String> stop = new ArrayList<>();

  @Option(names = "--ignore-eos", description = "Go on after an end-of-text token.")
  private boolean ignoreEos;

  @Option(
      names = "--parse-special",
      description = "Special tokens spelled in the prompt become those tokens.")
  private boolean parseSpecial;

  @Option(names = "--json", description = "Text, trace and timing as JSON on standard output.")
  private boolean json;

  @Override
  public Integer call() {
    GenerateOptions options = new GenerateOptions(maxTokens, sampling.options(), stop, ignoreEos);
    MaxProbability policy = new MaxProbability(threshold);
    boolean early = isEarly();
    String text = prompt.read("--prompt");
    try (Device device = compute.open();
        LanguageModel m = model.load(device);
        NativeArena arena = new NativeArena("exits")) {
      int[] ids = Prompt.encode(m, text, parseSpecial);
      int capacity = Prompt.capacity(m, ids, maxTokens);
      Exits exits = early ? ExitsFile.read(exitsFolder, m, arena, device.kernels()) : Exits.none();
      try (DecodingStrategy s =
          early
              ? new EarlyExit(m.decoder(), exits, policy, capacity, maxPending, device)
              : new FullDepth(m.decoder(), capacity, device)) {
        Generator generator =
            new Generator(s, m.tokenizer(), m.config().eos(), m.config().decoder().vocab());
        if (json) {
          System.out.println(Json.compact(result(generator.run(ids, options, t -> {}))));
        } else {
          show(generator, ids, options, m, exits, text);
        }
      }
    }
    return 0;
  }

  private void show(
      Generator generator,
      int[] ids,
      GenerateOptions options,
      LanguageModel m,
      Exits exits,
      String text) {
    ColouredText out = ColouredText.to(System.out, m.config().decoder().layers());
    if (!exits.exits().isEmpty()) {
      out.legend(exits.depths());
    }
    out.plain(text);
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

  private boolean isEarly() {
    String word = strategy == null ? (exitsFolder == null ? "full" : "early-exit") : strategy;
    switch (word) {
      case "full":
        return false;
      case "early-exit":
        if (exitsFolder == null) {
          throw new InputException("--strategy early-exit needs --exits DIR");
        }
        return true;
      default:
        throw new InputException("--strategy '" + word + "' is unknown; take full or early-exit");
    }
  }

  private static Map<String, Object> result(Generation g) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("prompt_ids", Arrays.stream(g.promptIds()).boxed().toList());
    root.put("tokens", g.tokens().stream().map(GenerateCommand::trace).toList());
    root.put("text", g.text());
    root.put("finish", g.finish());
    Map<String, Object> timing = new LinkedHashMap<>();
    timing.put("prefill_tokens_per_second", g.prefillTokensPerSecond());
    timing.put("decode_tokens_per_second", g.decodeTokensPerSecond());
    root.put("timing", timing);
    return root;
  }

  private static Map<String, Object> trace(GeneratedToken t) {
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("id", t.id());
    one.put("text", t.text());
    one.put("exit", t.exit().isPresent() ? t.exit().getAsInt() : "final");
    one.put("confidence", t.confidence());
    return one;
  }
}
