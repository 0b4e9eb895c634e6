package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.eetuning.cli.option.DecodedModelMixin;
import dev.sortie.eetuning.cli.option.ExitsMixin;
import dev.sortie.eetuning.display.NumberText;
import dev.sortie.eetuning.eval.TextScorer;
import dev.sortie.eetuning.eval.report.EvalJson;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Scores a text. */
@Command(
    name = "score",
    mixinStandardHelpOptions = true,
    description =
        "Measures how well the final layer and each exit predict a text: "
            + "negative log-likelihood per token, perplexity, bits per byte and "
            + "agreement with the final layer. Uses the arithmetic of decoding: 16-bit "
            + "integers for quantised weights, unless --exact is given.")
public final class ScoreCommand implements Callable<Integer> {
  @Mixin private ComputeMixin compute;
  @Mixin private DecodedModelMixin model;

  @Mixin private ExitsMixin exitSource;

  @Option(
      names = "--file",
      required = true,
      paramLabel = "TEXT",
      converter = ReadOnce.class,
      description = ScoredText.HELP + ReadOnce.HELP)
  private Path file;

  @Option(names = "--json", description = "JSON on standard output.")
  private boolean json;

  @Override
  public Integer call() {
    exitSource.check();
    ScoredText text = ScoredText.read(file);
    try (Device opened = compute.open();
        LanguageModel m = model.load(opened);
        NativeArena arena = new NativeArena("exits")) {
      Device device = m.device();
      Exits exits = exitSource.read(m, arena, device);
      TextScorer.Result r = text.score(new TextScorer(m, exits, device));
      if (json) {
        Map<String, Object> result = asJson(r);
        result.put("arithmetic", m.arithmetic().word());
        result.put("memory", model.memory());
        System.out.println(Json.compact(result));
      } else {
        System.out.printf(
            Locale.ROOT,
            "%d tokens, %d bytes%n%9s %10s %12s %14s %10s %9s%n",
            r.tokens(),
            r.bytes(),
            "exit",
            "nll",
            "perplexity",
            "bits per byte",
            "agreement",
            "coverage");
        r.heads()
            .forEach(
                (exit, s) ->
                    System.out.printf(
                        Locale.ROOT,
                        "%9s %10s %12s %14s %10s %9s%n",
                        exit,
                        NumberText.ungrouped(s.nll(), 4),
                        NumberText.ungrouped(s.perplexity(), 3),
                        NumberText.ungrouped(r.bitsPerByte(s), 4),
                        NumberText.ungrouped(s.agreement(), 4),
                        NumberText.ungrouped(s.coverage(), 4)));
      }
    }
    return 0;
  }

  private static Map<String, Object> asJson(TextScorer.Result r) {
    List<Map<String, Object>> heads = new ArrayList<>();
    r.heads()
        .forEach(
            (exit, s) -> {
              Map<String, Object> one = new LinkedHashMap<>();
              one.put(
                  "exit",
                  Character.isDigit(exit.charAt(0)) ? (Object) Integer.valueOf(exit) : exit);
              one.putAll(EvalJson.score(r, s));
              heads.add(one);
            });
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("tokens", r.tokens());
    root.put("bytes", r.bytes());
    root.put("heads", heads);
    return root;
  }
}
