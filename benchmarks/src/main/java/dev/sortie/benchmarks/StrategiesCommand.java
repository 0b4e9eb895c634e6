package dev.sortie.benchmarks;

import dev.sortie.benchmarks.compare.OwnResult;
import dev.sortie.benchmarks.compare.WayBench;
import dev.sortie.benchmarks.compare.WayFile;
import dev.sortie.benchmarks.compare.WayRun;
import dev.sortie.benchmarks.compare.WayTable;
import dev.sortie.benchmarks.compare.Ways;
import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.eetuning.cost.CostCache;
import dev.sortie.eetuning.cost.CostTable;
import dev.sortie.eetuning.eval.task.TaskFile;
import dev.sortie.eetuning.eval.task.TaskItem;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.exit.FinalDraft;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Every way of decoding compared with full depth. */
@Command(
    name = "strategies",
    mixinStandardHelpOptions = true,
    description = {
      "Decodes prompts with early exits and with drafts, each time next to full depth, and prints for"
          + " each way: speed over full depth, the cost model's error, agreement",
      "with full depth, at which exits tokens left or which source drafted them, passes by rows with their"
          + " milliseconds. Texts of lossless ways must be those of full depth, which is also compared with itself."
    })
final class StrategiesCommand implements Callable<Integer> {
  private static final int WARM_UP_TOKENS = 64;

  @Mixin private ExitModelMixin model;
  @Mixin private KeptRunsMixin kept;

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description =
          "Prompts, an object per line: {\"id\": …, \"prompt\": …}. Default: the 20 prompts of"
              + " benchmarks/prompts.jsonl."
              + ReadOnce.HELP)
  private Path prompts;

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "1000",
      description = "Prompts at most, the first ones. Default: ${DEFAULT-VALUE}.")
  private int limit;

  @Option(
      names = "--way",
      split = ",",
      paramLabel = "WORD",
      description =
          "Ways of decoding to compare with full depth, as in early-exit:24@0.7 (exits and threshold; early-exit@0.7 asks"
              + " all), early-exit:20=0.7+24=0.5 (a threshold each), early-exit:FILE.json"
              + " (calibrated), each also as early-exit+prompt-lookup, which also drafts, or"
              + " speculative:prompt-lookup+lookahead@0.5 (sources of drafts, and the"
              + " confidence below which exits do not draft). Default: each source, all sources, and early-exit at"
              + " 0.9, 0.7 and 0.5, with and without drafts.")
  private List<String> words = new ArrayList<>();

  @Option(
      names = "--temperatures",
      split = ",",
      defaultValue = "0,0.8",
      paramLabel = "X",
      description =
          "Temperatures; 0 is greedy. Ways that are not lossless run greedily only. Default:"
              + " ${DEFAULT-VALUE}.")
  private List<Double> temperatures;

  @Option(
      names = "--tokens",
      defaultValue = "256",
      paramLabel = "N",
      description = "Tokens a prompt. Default: ${DEFAULT-VALUE}.")
  private int tokens;

  @Override
  public Integer call() {
    if (tokens < 2) {
      throw new UsageException("--tokens " + tokens + " must be at least 2");
    }
    if (limit < 1) {
      throw new UsageException("--limit " + limit + " must be at least 1");
    }
    try (Device opened = model.compute().open();
        LanguageModel m = model.load(opened);
        NativeArena arena = new NativeArena("exits")) {
      Device device = m.device();
      Exits exits = model.exits(m, arena, device);
      List<String> ways = words.isEmpty() ? Ways.defaults(exits) : words;
      List<TaskItem.Answer> asked = TaskFile.prompts(promptFile(), tokens);
      SequencedMap<String, int[]> items = items(m, asked);
      WayFile file = new WayFile(kept.file(), settings(m, exits, ways, asked));
      Set<WayFile.Unit> wanted = wanted(items.keySet());
      SequencedMap<WayFile.Unit, List<WayRun>> done = file.read();
      done.keySet().retainAll(wanted); // the file may have other prompts and temperatures
      List<WayFile.Unit> missing = wanted.stream().filter(u -> !done.containsKey(u)).toList();
      if (!missing.isEmpty()) {
        // measuring the table compiles the kernels too
        Exits all = FinalDraft.add(exits);
        CostTable table = new CostCache().measure(m.decoder(), all, device);
        WayBench bench =
            new WayBench(
                m, Ways.of(ways, m, model.exitsFolder(), all, device), tokens, table, device);
        bench.warmUp(items.firstEntry().getValue(), Math.min(WARM_UP_TOKENS, tokens));
        for (WayFile.Unit unit : missing) {
          if (kept.isTimeUp()) {
            break;
          }
          List<WayRun> runs = bench.run(items.get(unit.prompt()), unit.temperature(), done.size());
          file.append(unit, runs);
          done.put(unit, runs);
        }
      }
      report(done, wanted.size(), m);
    }
    return 0;
  }

  private Set<WayFile.Unit> wanted(Set<String> prompts) {
    Set<WayFile.Unit> units = new LinkedHashSet<>();
    temperatures.forEach(t -> prompts.forEach(id -> units.add(new WayFile.Unit(t, id))));
    return units;
  }

  private Path promptFile() {
    return prompts == null ? Recorder.defaultFile().resolveSibling("prompts.jsonl") : prompts;
  }

  private SequencedMap<String, int[]> items(LanguageModel m, List<TaskItem.Answer> asked) {
    var template = ChatTemplate.ofModel(m.path());
    SequencedMap<String, int[]> items = new LinkedHashMap<>();
    for (TaskItem.Answer a : asked) {
      if (items.size() < limit) {
        items.put(
            a.id(),
            template
                .map(
                    t ->
                        t.encode(
                            List.of(ChatMessage.of("user", a.prompt())),
                            ChatOptions.DEFAULT,
                            m.tokenizer()))
                .orElseGet(() -> m.tokenizer().encode(a.prompt())));
      }
    }
    return items;
  }

  /** All that decides the runs but for which of the prompts are asked, at which temperatures. */
  private String settings(
      LanguageModel m, Exits exits, List<String> ways, List<TaskItem.Answer> asked) {
    Device device = m.device();
    Path folder = model.exitsFolder();
    return "%s, %s, arithmetic %s, exits %s, prompts %s, %d tokens, %s, %d threads, in pairs with full depth, ways %s"
        .formatted(
            Path.of(model.model()).getFileName(),
            model.dtype(),
            m.arithmetic().word(),
            folder == null
                ? "none"
                : exits.depths()
                    + (exits.lookahead().isPresent() ? " and lookahead " : " ")
                    + ExitsFile.sha256(folder),
            sha256(asked),
            tokens,
            device.kernels().name(),
            device.pool().threads(),
            ways.stream().map(Ways::described).collect(Collectors.joining(" ")));
  }

  private static String sha256(List<TaskItem.Answer> asked) {
    Sha256 sha = new Sha256();
    asked.forEach(
        a ->
            sha.update(
                Json.utf8(
                    "prompt", Json.compact(Json.object("id", a.id(), "prompt", a.prompt())))));
    return sha.hex();
  }

  private void report(SequencedMap<WayFile.Unit, List<WayRun>> done, int units, LanguageModel m) {
    Device device = m.device();
    List<Map<String, Object>> rows = new ArrayList<>();
    for (double t : temperatures) {
      List<List<WayRun>> runs = new ArrayList<>();
      done.forEach(
          (unit, r) -> {
            if (unit.temperature() == t) {
              runs.add(r);
            }
          });
      if (!runs.isEmpty()) {
        rows.addAll(WayTable.rows(t, runs));
      }
    }
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("model", Path.of(model.model()).getFileName().toString());
    settings.put("dtype", model.dtype());
    settings.put("arithmetic", m.arithmetic().word());
    settings.put("tokens", tokens);
    Map<String, Object> result =
        new OwnResult(
                "strategies " + model.dtype(),
                "full depth next to each run",
                Machine.detect(device.kernels().name()),
                device.pool().threads() + " threads",
                settings,
                rows,
                rows.stream().map(r -> (Double) r.get("ratio")).toList())
            .describe();
    boolean whole = done.size() == units;
    if (model.json()) {
      System.out.println(Json.compact(result));
    } else {
      rows.forEach(r -> System.out.println(WayTable.line(r)));
      if (!whole) {
        System.out.printf(
            Locale.ROOT, "%d of %d done; the same command resumes%n", done.size(), units);
      }
    }
    if (whole) {
      kept.record(result);
    }
  }
}
