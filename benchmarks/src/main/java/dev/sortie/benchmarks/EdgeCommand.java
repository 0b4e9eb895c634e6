package dev.sortie.benchmarks;

import dev.sortie.benchmarks.cold.PromptText;
import dev.sortie.benchmarks.compare.DisagreementException;
import dev.sortie.benchmarks.compare.OwnResult;
import dev.sortie.benchmarks.compare.Settings;
import dev.sortie.benchmarks.edge.SimulatedLink;
import dev.sortie.benchmarks.edge.SplitModel;
import dev.sortie.benchmarks.edge.SplitSpeed;
import dev.sortie.eetuning.calibrate.HeldOutSequence;
import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.eetuning.decode.edge.LinkType;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A model on two machines, over simulated links. */
@Command(
    name = "edge",
    mixinStandardHelpOptions = true,
    description = {
      "Writes the same texts with a model that is cut between an edge and a cloud, with the edge"
          + " alone, and with the cloud alone, over links that a relay in this process simulates:"
          + " tokens per second with the prompt, time to the first token, bytes and round trips.",
      "Edge and cloud get half of the threads each. Ratios are the speed of the split by that of the"
          + " cloud alone. With states in f32, the text must be that of one process."
    })
final class EdgeCommand implements Callable<Integer> {
  private static final int FAILED = 1;
  private static final int PROMPT_TOKENS = 43;
  private static final int MOST_TOKENS = 4096;
  private static final int SIDES = 2;

  @Mixin private ExitModelMixin model;
  @Mixin private MeasuringMixin measuring;

  @Option(
      names = "--edge",
      required = true,
      paramLabel = "N",
      description = "Layers of the edge; --exits needs an exit after layer N.")
  private int layers;

  @Option(
      names = "--threshold",
      defaultValue = "0.8",
      paramLabel = "X",
      description =
          "Confidence at which an exit of the edge decides a token. Default: ${DEFAULT-VALUE}.")
  private double threshold;

  @Option(
      names = "--links",
      split = ",",
      defaultValue = "5x1,5x10,5x100,50x1,50x10,50x100,200x1,200x10,200x100",
      paramLabel = "MSxMBIT",
      description =
          "Links: the delay one way in milliseconds, and the rate in Mbit/s. Default:"
              + " ${DEFAULT-VALUE}.")
  private List<String> links;

  @Option(
      names = "--link-type",
      split = ",",
      defaultValue = "f32",
      paramLabel = "TYPE",
      description =
          "Types in which hidden states are sent: f32, bf16, q8_0 or several. Default:"
              + " ${DEFAULT-VALUE}.")
  private List<LinkType> types;

  @Option(
      names = "--tokens",
      defaultValue = "64",
      paramLabel = "N",
      description = "Tokens of a text. Default: ${DEFAULT-VALUE}.")
  private int tokens;

  @Option(
      names = "--data",
      converter = ReadOnce.class,
      paramLabel = "FILE",
      description =
          "Prompts in the form of calibrate --data, such as examples/questions.jsonl. Default: 43"
              + " tokens of a fairy tale.")
  private Path data;

  @Option(
      names = "--texts",
      defaultValue = "1",
      paramLabel = "N",
      description = "Use the first N sequences of --data. Default: ${DEFAULT-VALUE}.")
  private int texts;

  @Override
  public Integer call() {
    Settings settings = measuring.settings(model.compute().threads());
    Ranges.check("--tokens", tokens, 2, MOST_TOKENS);
    Ranges.check("--texts", texts, 1, 1000);
    List<SimulatedLink> all = links.stream().map(SimulatedLink::of).toList();
    try (Device edgeDevice = model.compute().open(SIDES);
        Device cloudDevice = model.compute().open(SIDES);
        LanguageModel edge = model.load(edgeDevice);
        LanguageModel cloud = model.load(cloudDevice);
        NativeArena arena = new NativeArena("exits")) {
      int most = edge.config().decoder().layers() - 1;
      Ranges.check("--edge", layers, 1, most);
      types.forEach(type -> type.check(edge.config().decoder().hidden()));
      Exits exits = exits(edge, arena);
      try (SplitModel split =
          new SplitModel(edge, exits, layers, threshold, cloud, prompts(edge), tokens)) {
        report(settings, edge, exits, new SplitSpeed(split, types, settings).measure(all));
      }
    } catch (DisagreementException e) {
      System.err.println("sortie: " + e.getMessage());
      return FAILED;
    }
    return 0;
  }

  private Exits exits(LanguageModel edge, NativeArena arena) {
    Path folder = model.exitsFolder();
    if (folder == null) {
      throw new UsageException("--edge " + layers + " needs --exits DIR");
    }
    Exits exits =
        ExitsReader.of(edge)
            .at(depth -> depth <= layers)
            .read(folder, arena, edge.device().kernels());
    if (!exits.depths().contains(layers)) {
      throw new InputException(
          "--edge %d: %s has exits after %s of the layers up to there, and needs one after layer %d"
              .formatted(layers, folder, exits.depths(), layers));
    }
    return exits;
  }

  private List<int[]> prompts(LanguageModel m) {
    if (data == null) {
      return List.of(m.tokenizer().encode(PromptText.of(PROMPT_TOKENS, m.tokenizer())));
    }
    int window = Math.min(128, m.config().decoder().context());
    List<HeldOutSequence> sequences = HeldOutSequence.read(List.of(data), m, window, tokens);
    return sequences.stream().limit(texts).map(HeldOutSequence::ids).toList();
  }

  private void report(Settings settings, LanguageModel loaded, Exits exits, SplitSpeed.Rows rows) {
    String name = Path.of(model.model()).getFileName().toString();
    Map<String, Object> how = new LinkedHashMap<>();
    how.put("model", name);
    how.put("dtype", model.dtype());
    how.put("arithmetic", loaded.arithmetic().word());
    how.put("edge_layers", layers);
    how.put("exits", exits.depths());
    how.put("threshold", threshold);
    how.put("texts", data == null ? 1 : texts);
    how.put("tokens", tokens);
    how.put("rounds", settings.rounds());
    int each = loaded.device().pool().threads();
    Map<String, Object> result =
        new OwnResult(
                "edge " + name,
                "the cloud alone over the same link in the same run",
                Machine.detect(loaded.device().kernels().name()),
                each + " threads each for edge and cloud",
                how,
                rows.described(),
                rows.ratios())
            .describe();
    if (model.json()) {
      System.out.println(Json.compact(result));
    } else {
      rows.described().forEach(r -> System.out.println(line(r)));
    }
    measuring.record(result);
  }

  private static String line(Map<String, Object> row) {
    return row.entrySet().stream()
        .map(
            e ->
                e.getKey().equals("case")
                    ? String.format(Locale.ROOT, "%-26s", e.getValue())
                    : e.getKey() + " " + e.getValue())
        .collect(Collectors.joining("  "));
  }
}
