package dev.sortie.benchmarks.ranks;

import dev.sortie.benchmarks.measure.CommandProcess;
import dev.sortie.benchmarks.measure.TemporaryFolder;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A command of Sortie that several ranks can share, run as users run it, each process from its
 * start to its end.
 *
 * @param sortie the launcher script
 * @param command {@code tune}, {@code pretrain} or {@code generate} with its options, but for those
 *     that are set here: {@code --threads}, {@code --json}, {@code --out} and the layout's
 */
public record Job(Path sortie, List<String> command) {
  private static final double FASTEST = 1e9;

  public Job {
    command = List.copyOf(command);
    String word = command.isEmpty() ? "" : command.getFirst();
    if (!List.of("tune", "pretrain", "generate").contains(word)) {
      throw new InputException(
          "give tune, pretrain or generate with its options after --, not '" + word + "'");
    }
    if (!Files.isExecutable(sortie)) {
      throw new InputException(sortie + " is needed to start ranks and is not there");
    }
  }

  private boolean generates() {
    return command.getFirst().equals("generate");
  }

  /** Runs it once. */
  public JobRun run(int round, Layout layout) {
    try (TemporaryFolder folder = TemporaryFolder.create()) {
      List<List<String>> each = new ArrayList<>();
      for (int i = 0; i < layout.commands(); i++) {
        List<String> options = new ArrayList<>(List.of("--threads", "1", "--json"));
        if (layout == Layout.PP && command.contains("--prompts")) {
          options.addAll(List.of("--batch", "1")); // texts follow each other, as on one rank
        }
        if (!generates()) {
          options.addAll(List.of("--out", folder.path().resolve("run-" + i).toString()));
        }
        each.add(options);
      }
      List<Running> running = new ArrayList<>();
      try {
        for (List<String> words : layout.words(sortie.toString(), command, each)) {
          running.add(Running.start(words, folder.path().resolve("log-" + running.size())));
        }
        List<JsonObject> results = running.stream().map(Running::result).toList();
        return new JobRun(
            round,
            layout,
            results.stream().mapToDouble(this::rate).sum(),
            result(results.getFirst()));
      } finally {
        running.forEach(r -> r.process().close());
      }
    }
  }

  /** Of texts the later half counts, as the later half of steps does in training. */
  private double rate(JsonObject result) {
    if (!generates()) {
      return result.getDouble("steady_tokens_per_second", Double.MIN_NORMAL, FASTEST);
    }
    List<JsonObject> texts = texts(result);
    List<Double> rates =
        texts.subList(texts.size() / 2, texts.size()).stream()
            .map(t -> t.getObject("timing").getDouble("decode_tokens_per_second", 0, FASTEST))
            .sorted()
            .toList();
    return rates.get(rates.size() / 2);
  }

  private static List<JsonObject> texts(JsonObject result) {
    return result.contains("texts") ? result.getObjects("texts") : List.of(result);
  }

  private String result(JsonObject result) {
    if (generates()) {
      String ids =
          texts(result).stream()
              .map(
                  t ->
                      t.getObjects("tokens").stream()
                          .map(token -> token.fields().get("id").toString())
                          .collect(Collectors.joining(" ")))
              .collect(Collectors.joining("\n"));
      return Sha256.of(ids.getBytes(StandardCharsets.UTF_8));
    }
    return result.getString(command.getFirst().equals("tune") ? "exits_sha256" : "model_sha256");
  }

  /** A process and what it prints. */
  private record Running(CommandProcess process, Path out) {

    static Running start(List<String> words, Path log) {
      Path out = log.resolveSibling(log.getFileName() + ".out");
      return new Running(
          CommandProcess.start("the command", words, Redirect.to(out.toFile()), log), out);
    }

    /** The last line that it prints, once it has ended. */
    JsonObject result() {
      process.end();
      try {
        List<String> lines = Files.readAllLines(out);
        if (lines.isEmpty()) {
          throw new InputException("the command printed no result");
        }
        // launch puts the rank in front of each line
        String last = lines.getLast();
        return Json.parse("its result", last.substring(last.indexOf('{')), JsonLimits.CONFIG);
      } catch (IOException e) {
        throw new UncheckedIOException("what the command printed cannot be read", e);
      }
    }
  }
}
