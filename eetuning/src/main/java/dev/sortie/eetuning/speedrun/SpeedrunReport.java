package dev.sortie.eetuning.speedrun;

import dev.sortie.eetuning.calibrate.Calibrated;
import dev.sortie.eetuning.calibrate.ThresholdsFile;
import dev.sortie.eetuning.eval.SourceRevision;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * What a speedrun came to.
 *
 * @param recipe what was run
 * @param stages its stages
 * @param record their times
 * @param machine where
 * @param threads that computed
 * @param target bits per byte of held-out text to reach, if one was set
 */
public record SpeedrunReport(
    Recipe recipe,
    List<Recipe.Stage> stages,
    RunRecord record,
    Machine machine,
    int threads,
    OptionalDouble target) {

  private JsonObject text() {
    return Json.read(recipe.evaluation().resolve("results.json")).getObject("text");
  }

  /** Bits per byte of the held-out text, at full depth. */
  public double bitsPerByte() {
    return text().getObjects("heads").getLast().getDouble("bits_per_byte", 0, 1e6);
  }

  /** Whether the target was reached; true without one. */
  public boolean reached() {
    return target.isEmpty() || bitsPerByte() <= target.getAsDouble();
  }

  /** The run in one sentence. */
  public String sentence() {
    String time =
        record.total().isPresent()
            ? format("%.1f minutes", record.total().getAsDouble() / 60)
            : "an unknown time, since it was interrupted,";
    String goal =
        target.isEmpty()
            ? ""
            : format(
                "; the target of %s is %s", target.getAsDouble(), reached() ? "reached" : "missed");
    return format(
        "%s on %d threads to %.4f bits per byte of held-out text%s",
        time, threads, bitsPerByte(), goal);
  }

  /** A line for a file that keeps runs by commit. */
  public Map<String, Object> json() {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("date", machine.date());
    line.put("commit", SourceRevision.commit());
    line.put("cpu", machine.cpu());
    line.put("kernels", machine.kernels());
    line.put("java", machine.java());
    line.put("threads", threads);
    line.put("steps", recipe.steps());
    line.put("seed", recipe.seed());
    line.put("minutes", record.total().isPresent() ? record.total().getAsDouble() / 60 : null);
    line.put("seconds", record.seconds());
    line.put("bits_per_byte", bitsPerByte());
    if (target.isPresent()) {
      line.put("target", target.getAsDouble());
      line.put("reached", reached());
    }
    return line;
  }

  /** Writes the page. */
  public void write(Path file) {
    AtomicFiles.write(file, page().getBytes(StandardCharsets.UTF_8));
  }

  private String page() {
    StringBuilder page = new StringBuilder("# Speedrun\n\n");
    page.append("**").append(sentence()).append("**\n\n");
    page.append(
        format(
            "%s, %d cores, kernels %s, %s, commit %s, %s\n\n",
            machine.cpu(),
            machine.cores(),
            machine.kernels(),
            machine.java(),
            SourceRevision.commit(),
            machine.date()));
    page.append("| stage | seconds | command |\n|---|---|---|\n");
    for (Recipe.Stage s : stages) {
      page.append(
          format(
              "| %s | %.1f | `%s` |\n",
              s.command(), record.seconds().get(s.command()), s.line().replace("|", "\\|")));
    }
    page.append("\n## Held-out text\n\n| head | bits per byte | agreement |\n|---|---|---|\n");
    for (JsonObject head : text().getObjects("heads")) {
      page.append(
          format(
              "| %s | %.4f | %.1f %% |\n",
              head.getString("exit"),
              head.getDouble("bits_per_byte", 0, 1e6),
              100 * head.getDouble("agreement", 0, 1)));
    }
    Calibrated c = ThresholdsFile.read(recipe.thresholds());
    Calibrated.Promise p = c.promise();
    List<String> thresholds = new ArrayList<>();
    c.thresholds().forEach((depth, x) -> thresholds.add(depth + ": " + x));
    page.append(
        format(
            "\n## Calibrated exits\n\nThresholds %s: %s at most %s %s. %.1f %% of the tokens leave"
                + " early; predicted speed relative to full depth: %.2f.\n",
            String.join(", ", thresholds),
            p.risk().word(),
            p.guarantee().level(),
            p.guarantee().condition(),
            100 * p.earlyShare(),
            p.predictedSpeedup()));
    return page.toString();
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
