package dev.sortie.benchmarks;

import dev.sortie.benchmarks.cold.ColdCase;
import dev.sortie.benchmarks.cold.ColdRow;
import dev.sortie.benchmarks.cold.Launcher;
import dev.sortie.benchmarks.cold.LlamaStart;
import dev.sortie.benchmarks.cold.PromptCase;
import dev.sortie.benchmarks.cold.TuneCase;
import dev.sortie.benchmarks.compare.DisagreementException;
import dev.sortie.benchmarks.compare.OwnResult;
import dev.sortie.benchmarks.compare.Settings;
import dev.sortie.benchmarks.measure.TemporaryFolder;
import dev.sortie.eetuning.host.EmbeddedFolder;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Starts of whole processes. */
@Command(
    name = "cold",
    mixinStandardHelpOptions = true,
    description = {
      "Runs whole processes from their start, as users start them, in turns with llama.cpp: seconds"
          + " to the first token and to the exit of generate, for prompts of 43 and 610 tokens, and"
          + " for the embedded model without a peer; seconds until tune runs at 90 %% of its steady"
          + " speed.",
      "Ratios are the peer's median time by ours; above 1, Sortie is ahead."
    })
final class ColdCommand implements Callable<Integer> {
  private static final int FAILED = 1;
  private static final String FABLE = "fable";

  @Mixin private MeasuredModelMixin model;
  @Mixin private MeasuringMixin measuring;

  @Option(
      names = "--no-peer",
      description = "Sortie alone; needs no installed peer, and reads models of all formats.")
  private boolean noPeer;

  @Option(
      names = "--tune-seconds",
      paramLabel = "N",
      defaultValue = "20",
      description =
          "How long a run of tune lasts; its steady speed is that of the later half of its steps."
              + " Default: ${DEFAULT-VALUE}.")
  private int tuneSeconds;

  @Override
  public Integer call() {
    Settings settings = measuring.settings(model.compute().threads());
    Ranges.check("--tune-seconds", tuneSeconds, 1, 3600);
    List<ColdRow> rows = new ArrayList<>();
    String peer = "";
    try (TemporaryFolder folder = TemporaryFolder.create()) {
      for (ColdCase c : settings.choose(cases(settings, folder.path()), ColdCase::name)) {
        settings.progress().accept("measuring " + c.name());
        ColdCase.Measured m = c.measure(settings.rounds());
        m.rows().forEach(row -> settings.progress().accept(row.line()));
        rows.addAll(m.rows());
        peer = m.peer().isEmpty() ? peer : m.peer();
      }
    } catch (DisagreementException e) {
      System.err.println("sortie: " + e.getMessage());
      return FAILED;
    } finally { // a case that fails does not lose those before it
      if (!rows.isEmpty()) {
        report(settings, peer, rows);
      }
    }
    return 0;
  }

  /** All cases for which the model's context is long enough. */
  private List<ColdCase> cases(Settings settings, Path folder) {
    Launcher sortie =
        new Launcher(
            Recorder.root().resolve("sortie"),
            List.of(
                "--threads",
                Integer.toString(settings.threads()),
                "--device",
                model.compute().device()),
            folder);
    sortie.build();
    List<ColdCase> cases = new ArrayList<>();
    try (ModelFiles files = ModelFiles.open(model.path());
        ModelFiles fable = ModelFiles.open(EmbeddedFolder.FABLE.path())) {
      DecoderConfig config = files.config().decoder();
      Optional<LlamaStart> llama =
          noPeer
              ? Optional.empty()
              : Optional.of(
                  new LlamaStart(settings.peers(), model.path(), settings.threads(), folder));
      for (int[] size : new int[][] {{43, 64}, {610, 32}}) {
        String name = size[0] + " + " + size[1];
        if (size[0] + size[1] >= config.context()) {
          settings
              .progress()
              .accept("left out: " + name + ", for the context has " + config.context());
          continue;
        }
        cases.add(
            new PromptCase(
                name, model.model(), files.tokenizer(), size[0], size[1], sortie, llama, folder));
      }
      cases.add(
          new PromptCase(
              FABLE, FABLE, fable.tokenizer(), 43, 64, sortie, Optional.empty(), folder));
      cases.add(
          new PromptCase(
              FABLE + ", short prompt",
              FABLE,
              fable.tokenizer(),
              4,
              64,
              sortie,
              Optional.empty(),
              folder));
      cases.add(new TuneCase(model.model(), config.layers(), tuneSeconds, sortie));
    }
    return cases;
  }

  private void report(Settings settings, String peer, List<ColdRow> rows) {
    Map<String, Object> how = new LinkedHashMap<>();
    how.put("model", Path.of(model.model()).getFileName().toString());
    how.put("rounds", settings.rounds());
    Map<String, Object> result =
        new OwnResult(
                "cold",
                peer.isEmpty() ? "none" : peer,
                machine(),
                settings.threads() + " threads",
                how,
                rows.stream().map(ColdRow::describe).toList(),
                rows.stream().filter(ColdRow::isCompared).map(ColdRow::ratio).toList())
            .describe();
    if (model.json()) {
      System.out.println(Json.compact(result));
    } else {
      System.out.println(
          "%s from a cold start%s, %s, medians of %d"
              .formatted(
                  result.get("model"),
                  peer.isEmpty() ? "" : " against " + peer,
                  result.get("device"),
                  settings.rounds()));
      rows.forEach(row -> System.out.println(row.line()));
    }
    measuring.record(result);
  }

  private Machine machine() {
    try (Device device = model.compute().open()) {
      return Machine.detect(device.kernels().name());
    }
  }
}
