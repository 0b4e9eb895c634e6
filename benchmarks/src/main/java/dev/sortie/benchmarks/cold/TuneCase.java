package dev.sortie.benchmarks.cold;

import dev.sortie.benchmarks.measure.CommandProcess;
import dev.sortie.benchmarks.measure.TemporaryFolder;
import dev.sortie.benchmarks.measure.Turns;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonLines;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * Tuning one {@code mlp} exit in the middle of the model: seconds from the start of {@code tune} to
 * its steady speed. A run is killed after a fixed time; checkpoints and validations do not fall in
 * it.
 *
 * @param model as {@code --model} names it
 * @param layers of the model
 * @param seconds after which a run is killed
 * @param sortie our side
 */
public record TuneCase(String model, int layers, int seconds, Launcher sortie) implements ColdCase {
  private static final String NEVER = "1000000";
  private static final double LAST_TIME = 1e12;

  @Override
  public String name() {
    return "tune";
  }

  @Override
  public Measured measure(int rounds) {
    try (TemporaryFolder folder = TemporaryFolder.create()) {
      Path text = folder.path().resolve("text.txt");
      Files.writeString(text, PromptText.all());
      Path exits = folder.path().resolve("exits");
      sortie.run(
          List.of(
              "add-exits",
              "--model",
              model,
              "--at",
              Integer.toString(Math.max(1, layers / 2)),
              "--arch",
              "mlp",
              "--out",
              exits.toString()));
      Supplier<Double> side = () -> secondsToSteadySpeed(exits, text);
      List<Double> samples = Turns.<Double>samples(rounds, List.of(side)).getFirst();
      return new Measured("", List.of(new ColdRow("tune, 90 % of its speed", samples, List.of())));
    } catch (IOException e) {
      throw new UncheckedIOException("the text to tune on cannot be written", e);
    }
  }

  private double secondsToSteadySpeed(Path exits, Path text) {
    try (TemporaryFolder folder = TemporaryFolder.create()) {
      Path steps = folder.path().resolve("steps.jsonl");
      double started = System.currentTimeMillis() / 1e3;
      try (CommandProcess process =
          sortie.start(
              List.of(
                  "tune",
                  "--model",
                  model,
                  "--exits",
                  exits.toString(),
                  "--data",
                  text.toString(),
                  "--out",
                  folder.path().resolve("run").toString(),
                  "--seq-len",
                  "128",
                  "--micro-batch",
                  "1",
                  "--held-out",
                  "0",
                  "--gate-tokens",
                  "0",
                  "--steps",
                  NEVER,
                  "--checkpoint-every",
                  NEVER,
                  "--validate-every",
                  NEVER,
                  "--step-log",
                  steps.toString()))) {
        process.runFor(seconds);
      }
      double[] ends = ends(steps);
      double[] took = new double[Math.max(0, ends.length - 1)];
      for (int i = 0; i < took.length; i++) {
        took[i] = ends[i + 1] - ends[i];
      }
      OptionalInt steady = SteadySpeed.firstStep(took);
      if (steady.isEmpty()) {
        throw new InputException(
            "tune: %d steps in %d s did not come to a steady speed in the first half; give more --tune-seconds"
                .formatted(ends.length, seconds));
      }
      return ends[steady.getAsInt()] - started;
    }
  }

  /** When each step ended, in seconds since 1970. The last line may be cut off. */
  private static double[] ends(Path steps) {
    try {
      String text = Files.exists(steps) ? Files.readString(steps) : "";
      String whole = text.substring(0, text.lastIndexOf('\n') + 1);
      return whole.isEmpty()
          ? new double[0]
          : JsonLines.parse(steps.toString(), whole).stream()
              .mapToDouble(line -> line.getDouble("time", 0, LAST_TIME))
              .toArray();
    } catch (IOException e) {
      throw new UncheckedIOException(steps + " cannot be read", e);
    }
  }
}
