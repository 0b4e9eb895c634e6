package dev.sortie.benchmarks.paper;

import dev.sortie.benchmarks.measure.CommandProcess;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;

/**
 * The folder of the results. What a run printed is kept in {@code runs/ID.json}; a run that has
 * this file is not run again. Machine and day are kept in {@code runs/ID.where}.
 *
 * @param root folder of the sources
 * @param folder for {@code paper/} in the commands
 * @param threads of each command; those of a job share them out themselves
 * @param device of each command
 * @param machine that runs them, in words
 */
public record RunFolder(Path root, Path folder, int threads, String device, String machine) {
  private static final String HERE = "paper/";
  private static final String EXAMPLES = "examples/";
  private static final String LAUNCHER = "./sortie";

  /** Whether it has run. */
  public boolean isDone(Run run) {
    return Files.exists(kept(run));
  }

  /** What it printed. */
  JsonObject result(Run run) {
    try {
      List<String> lines = Files.readAllLines(kept(run), StandardCharsets.UTF_8);
      if (lines.isEmpty()) {
        throw new InputException(kept(run) + ": is empty; delete it to run its command again");
      }
      return Json.parse(kept(run).toString(), lines.getLast(), JsonLimits.DATA);
    } catch (IOException e) {
      throw new UncheckedIOException(kept(run) + " cannot be read", e);
    }
  }

  /** The machine and the day of a run: {@code machine} and {@code date}. */
  JsonObject where(Run run) {
    return Json.read(place(run));
  }

  /** A file that a command wrote, by its name in the command. */
  Path file(String named) {
    return folder.resolve(named.substring(HERE.length()));
  }

  /**
   * Runs it to its end.
   *
   * @throws InputException if it fails
   */
  public void run(Run run) {
    Path printed = folder.resolve("runs").resolve(run.id() + ".printed");
    try {
      Files.createDirectories(printed.getParent());
      try (CommandProcess process =
          CommandProcess.start(
              run.line(),
              words(run),
              Redirect.to(printed.toFile()),
              printed.resolveSibling(run.id() + ".log"))) {
        process.end();
      }
      Json.write(place(run), Json.object("machine", machine, "date", LocalDate.now().toString()));
      Files.move(printed, kept(run), StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(printed + " cannot be written", e);
    }
  }

  private Path kept(Run run) {
    return folder.resolve("runs").resolve(run.id() + ".json");
  }

  private Path place(Run run) {
    return folder.resolve("runs").resolve(run.id() + ".where");
  }

  /** The words with paths of this machine, and JSON as output: also of the ranks of a job. */
  private List<String> words(Run run) {
    List<String> words = new ArrayList<>(List.of(root.resolve("sortie").toString()));
    for (String word : run.words()) {
      words.add(
          word.startsWith(HERE)
              ? file(word).toString()
              : word.startsWith(EXAMPLES)
                  ? root.resolve(word).toString()
                  : word.equals(LAUNCHER) ? words.getFirst() : word);
    }
    if (run.command().equals("launch")) {
      words.add(2, "--json");
    } else {
      words.addAll(List.of("--threads", Integer.toString(threads)));
    }
    words.addAll(List.of("--device", device));
    words.add("--json");
    return words;
  }
}
