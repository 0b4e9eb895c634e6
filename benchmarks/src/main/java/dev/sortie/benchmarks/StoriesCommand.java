package dev.sortie.benchmarks;

import dev.sortie.benchmarks.stories.StorySet;
import dev.sortie.benchmarks.stories.StoryWay;
import dev.sortie.eetuning.LoadOptions;
import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.Sortie;
import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.eetuning.eval.task.TaskFile;
import dev.sortie.eetuning.eval.task.TaskItem;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.text.TrainingText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What the stories of a small model are like. */
@Command(
    name = "stories",
    mixinStandardHelpOptions = true,
    description = {
      "A model continues the beginnings of stories, greedily and sampled. Counted are words, 4-grams"
          + " that stood in the same story before, and how well a larger model, the judge, predicts"
          + " the stories. The first greedy ones are printed as they are."
    })
final class StoriesCommand implements Callable<Integer> {
  @Mixin private MeasuredModelMixin model;

  @Option(
      names = "--judge",
      required = true,
      paramLabel = "M",
      description = "The judge's folder or file. Its nats per token are those of its own tokens.")
  private String judge;

  @Option(
      names = "--beginnings",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description =
          "Beginnings of stories, an object per line: {\"prompt\": …}. Default: the 120 of"
              + " examples/beginnings.jsonl."
              + ReadOnce.HELP)
  private Path beginnings;

  @Option(
      names = "--compare",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description =
          "Stories of somebody else, counted too: a .jsonl file with a text per line, such as"
              + " test.jsonl of sample."
              + ReadOnce.HELP)
  private Path compare;

  @Option(
      names = "--show",
      paramLabel = "N",
      defaultValue = "10",
      description = "Stories printed. Default: ${DEFAULT-VALUE}.")
  private int show;

  @Override
  public Integer call() {
    Ranges.check("--show", show, 0, 1_000_000);
    List<String> begun = beginnings();
    Optional<List<String>> others = Optional.ofNullable(compare).map(TrainingText::documents);
    LoadOptions options =
        LoadOptions.DEFAULT.device(model.compute().device()).threads(model.compute().threads());
    // both first: writing takes minutes
    try (Model author = Sortie.load(model.model(), options);
        Model reader = Sortie.load(judge, options)) {
      List<StorySet> sets = new ArrayList<>();
      for (StoryWay way : StoryWay.values()) {
        System.err.println("writing " + begun.size() + " stories: " + way);
        sets.add(way.write(author, begun));
      }
      List<String> shown = sets.getFirst().stories();
      others.ifPresent(
          texts -> sets.add(new StorySet(compare.toString(), texts, OptionalInt.empty())));
      print(
          sets.stream().map(set -> set.describe(reader)).toList(),
          shown.subList(0, Math.min(show, shown.size())));
    }
    return 0;
  }

  private List<String> beginnings() {
    Path file =
        beginnings == null ? Recorder.root().resolve("examples/beginnings.jsonl") : beginnings;
    return TaskFile.prompts(file, 1).stream().map(TaskItem.Answer::prompt).toList();
  }

  private void print(List<Map<String, Object>> rows, List<String> stories) {
    if (model.json()) {
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("model", model.model());
      result.put("judge", judge);
      result.put("rows", rows);
      result.put("stories", stories);
      System.out.println(Json.compact(result));
      return;
    }
    rows.forEach(row -> System.out.println(line(row)));
    for (String story : stories) {
      System.out.println("\n" + story.strip());
    }
  }

  private static String line(Map<String, Object> row) {
    return String.format(
        Locale.ROOT,
        "%s: %d stories%s, %.0f words, %.1f %% of 4-grams stood before, judge %.2f nats per token",
        row.get("stories"),
        row.get("count"),
        row.containsKey("ended") ? ", " + row.get("ended") + " of them ended" : "",
        row.get("words"),
        100 * (Double) row.get("repeated_4grams"),
        row.get("judge_nll"));
  }
}
