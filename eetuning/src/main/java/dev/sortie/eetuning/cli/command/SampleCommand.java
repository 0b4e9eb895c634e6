package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.eetuning.cli.option.DecodedModelMixin;
import dev.sortie.eetuning.cli.view.Interrupt;
import dev.sortie.eetuning.cli.view.SampleView;
import dev.sortie.eetuning.host.OutputFolder;
import dev.sortie.eetuning.sample.SampleRun;
import dev.sortie.eetuning.sample.SampleTable;
import dev.sortie.eetuning.sample.SplitShares;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Training text that a model writes. */
@Command(
    name = "sample",
    mixinStandardHelpOptions = true,
    description = {
      "Samples training text from a model: prompts drawn from a table, many texts at once, filtered, split by prompt into train, validation and test, each a .jsonl file of texts and a .bin file of token ids.",
      "All that is sampled is kept in shards. Ctrl-C and a kill lose the last minute; the same command resumes, and ends with the bytes of a run that was not interrupted. docs/sampling.md describes tables and files."
    })
public final class SampleCommand implements Callable<Integer> {
  @Mixin private ComputeMixin compute;
  @Mixin private DecodedModelMixin model;

  @Option(
      names = "--prompts",
      required = true,
      paramLabel = "TABLE",
      converter = ReadOnce.class,
      description =
          "A JSON table of prompts, sampling and filters, such as examples/stories.json."
              + ReadOnce.HELP)
  private Path table;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Folder of the run. The same command again resumes the run.")
  private Path out;

  @Option(
      names = "--tokens",
      required = true,
      paramLabel = "N",
      description =
          "Sample until the texts that pass the filters have this many tokens; a larger number continues the run, with other filters too.")
  private long tokens;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Random seed for prompts, texts and the split. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "128",
      description =
          "Number of texts that are decoded at a time, up to 256 in one pass: more are faster and take more memory. It does not change the result. Default: ${DEFAULT-VALUE}.")
  private int batch;

  @Option(
      names = "--validation",
      paramLabel = "X",
      defaultValue = "0.02",
      description = "Share of the prompts for validation. Default: ${DEFAULT-VALUE}.")
  private double validation;

  @Option(
      names = "--test",
      paramLabel = "X",
      defaultValue = "0.02",
      description = "Share of the prompts for test. Default: ${DEFAULT-VALUE}.")
  private double test;

  @Option(names = "--json", description = "Counts and hashes as JSON on standard output.")
  private boolean json;

  @Override
  public Integer call() {
    SampleRun.Settings settings =
        new SampleRun.Settings(tokens, seed, batch, new SplitShares(validation, test));
    SampleTable sampled = SampleTable.read(table);
    try (Device opened = compute.open();
        LanguageModel m = model.load(opened);
        OutputFolder folder = new OutputFolder(out);
        Interrupt interrupt = new Interrupt()) {
      folder.open();
      SampleRun.Outcome outcome;
      try (SampleView view = new SampleView(tokens)) {
        outcome = new SampleRun(m, m.device(), sampled, settings).run(out, view, interrupt::wanted);
      }
      if (!outcome.finished()) {
        System.err.println("sample: stopped; the same command resumes");
        return 1;
      }
      report(outcome);
      return 0;
    }
  }

  private void report(SampleRun.Outcome outcome) {
    if (json) {
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("out", out.toString());
      result.putAll(outcome.manifest());
      System.out.println(Json.compact(result));
    } else {
      SampleView.lines(outcome.manifest()).forEach(System.out::println);
    }
  }
}
