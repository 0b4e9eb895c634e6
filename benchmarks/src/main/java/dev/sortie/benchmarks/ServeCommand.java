package dev.sortie.benchmarks;

import dev.sortie.benchmarks.cold.Launcher;
import dev.sortie.benchmarks.compare.OwnResult;
import dev.sortie.benchmarks.compare.Settings;
import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.benchmarks.measure.TemporaryFolder;
import dev.sortie.benchmarks.serve.ServerLoad;
import dev.sortie.benchmarks.serve.ServerProcess;
import dev.sortie.benchmarks.serve.ServerSpeed;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import java.nio.file.Files;
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

/** Servers under streaming clients. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    description = {
      "Starts serve, and llama.cpp's server if --llama-server names it, and sends both the same"
          + " requests over HTTP in turns: tokens per second of all streaming clients together, and"
          + " the time to the first token of a prompt that no cache knows.",
      "With --load, clients of serve alone stream text after text for so many seconds. Each text"
          + " must be the same as alone, and resident memory after the first minute must stay within"
          + " 5 %%; otherwise the exit code is 1."
    })
final class ServeCommand implements Callable<Integer> {
  private static final int FAILED = 1;
  private static final double MOST_GROWTH = 0.05;

  @Mixin private MeasuredModelMixin model;
  @Mixin private MeasuringMixin measuring;
  @Mixin private ServedRequestsMixin requests;

  @Option(
      names = "--clients",
      split = ",",
      defaultValue = "1,8",
      paramLabel = "N",
      description =
          "Clients at once, for each case; with --load their greatest number. Default:"
              + " ${DEFAULT-VALUE}.")
  private List<Integer> clients;

  @Option(
      names = "--llama-server",
      paramLabel = "FILE",
      description = "llama.cpp's server program; the model must be a GGUF file.")
  private Path llama;

  @Option(
      names = "--no-drafts",
      description = "Starts serve with --no-drafts: clients are then answered without drafts.")
  private boolean noDrafts;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "file",
      description =
          "Passed to serve: file uses the matrices of the file in place; bf16 of a BF16 file is a"
              + " copy in large pages. Default: ${DEFAULT-VALUE}.")
  private Precision precision;

  @Option(
      names = "--load",
      paramLabel = "SECONDS",
      description = "Measures errors, texts and memory under load, not speed.")
  private Integer load;

  @Override
  public Integer call() {
    Settings settings = measuring.settings(model.compute().threads());
    clients.forEach(n -> Ranges.check("--clients", n, 1, 256));
    if (load != null) {
      Ranges.check("--load", load, 1, 86_400);
    }
    if (llama != null && !Files.isExecutable(llama)) {
      throw new InputException("--llama-server " + llama + " is no program; build llama-server");
    }
    try (TemporaryFolder folder = TemporaryFolder.create()) {
      return load == null ? speed(settings, folder.path()) : load(folder.path());
    }
  }

  private int most() {
    return clients.stream().mapToInt(n -> n).max().orElseThrow();
  }

  private ServerProcess ours(Path logs) {
    Path sortie = Recorder.root().resolve("sortie");
    new Launcher(sortie, List.of(), logs).build();
    List<String> words =
        new ArrayList<>(
            List.of(
                sortie.toString(),
                "serve",
                "--model",
                model.model(),
                "--parallel",
                Integer.toString(most()),
                "--cache-tokens",
                Integer.toString(most() * requests.room()),
                "--threads",
                Integer.toString(model.compute().threads()),
                "--device",
                model.compute().device(),
                "--dtype",
                precision.word()));
    if (noDrafts) {
      words.add("--no-drafts");
    }
    return ServerProcess.start("serve", words, "/readyz", logs);
  }

  private ServerProcess peer(Path logs) {
    String threads = Integer.toString(model.compute().threads());
    List<String> words =
        List.of(
            llama.toString(),
            "--model",
            model.path().toString(),
            "--parallel",
            Integer.toString(most()),
            "--ctx-size",
            Integer.toString(most() * requests.room()),
            "--threads",
            threads,
            "--threads-batch",
            threads);
    return ServerProcess.start("llama-server", words, "/health", logs);
  }

  private int speed(Settings settings, Path logs) {
    List<ServerSpeed.Case> cases =
        settings.choose(ServerSpeed.Case.of(clients), ServerSpeed.Case::name);
    List<ServerProcess> servers = new ArrayList<>();
    List<ServerSpeed.Row> rows;
    try {
      servers.add(ours(logs));
      if (llama != null) {
        servers.add(peer(logs));
      }
      rows =
          new ServerSpeed(requests.source(model.path()), requests.tokens(), settings.rounds())
              .measure(servers, cases);
    } finally {
      servers.forEach(ServerProcess::close);
    }
    double first = rows.getFirst().values().getFirst();
    List<Map<String, Object>> fields = rows.stream().map(r -> fields(r, first)).toList();
    report(fields, settings.rounds());
    return 0;
  }

  private static Map<String, Object> fields(ServerSpeed.Row row, double first) {
    Map<String, Object> m = new LinkedHashMap<>();
    boolean time = row.measured().first();
    double ours = row.values().getFirst();
    m.put("case", row.measured().name());
    m.put("ours", Figure.rounded(ours));
    if (row.values().size() > 1) {
      double peer = row.values().getLast();
      m.put("peer", Figure.rounded(peer));
      m.put("unit", row.measured().unit());
      m.put("ratio", Figure.rounded(time ? peer / ours : ours / peer));
    } else {
      m.put("unit", row.measured().unit());
    }
    if (!time) {
      m.put("times_the_first", Figure.rounded(ours / first));
    }
    return m;
  }

  private int load(Path logs) {
    ServerLoad.Outcome o;
    try (ServerProcess server = ours(logs)) {
      o =
          new ServerLoad(most(), requests.tokens(), load, System.err::println)
              .run(server, requests.source(model.path()));
    }
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("case", most() + " clients for " + load + " s");
    m.put("texts", o.texts());
    m.put("rate", Figure.rounded(o.rate()));
    m.put("unit", "tokens/s");
    m.put("different", o.different());
    m.put("failures", o.failures());
    m.put("first_failure", o.firstFailure());
    m.put("resident_mib", o.residentMib().stream().map(Figure::rounded).toList());
    m.put("growth", Figure.rounded(o.growth()));
    report(List.of(m), 1);
    boolean held = o.different() == 0 && o.failures() == 0 && o.growth() <= MOST_GROWTH;
    return held ? 0 : FAILED;
  }

  private void report(List<Map<String, Object>> rows, int rounds) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("model", Path.of(model.model()).getFileName().toString());
    settings.put("rounds", rounds);
    settings.put("prompt_tokens", requests.promptTokens());
    settings.put("tokens", requests.tokens());
    settings.put("drafts", !noDrafts);
    settings.put("dtype", precision.word());
    Map<String, Object> result;
    try (Device device = model.compute().open()) {
      result =
          new OwnResult(
                  "serve",
                  llama == null ? "none" : "llama-server",
                  Machine.detect(device.kernels().name()),
                  model.compute().threads() + " threads",
                  settings,
                  rows,
                  rows.stream()
                      .filter(row -> row.containsKey("ratio"))
                      .map(row -> (Double) row.get("ratio"))
                      .toList())
              .describe();
    }
    if (model.json()) {
      System.out.println(Json.compact(result));
    } else {
      rows.forEach(ServeCommand::print);
    }
    measuring.record(result);
  }

  private static void print(Map<String, Object> row) {
    StringBuilder line = new StringBuilder();
    row.forEach(
        (name, value) ->
            line.append(
                name.equals("case")
                    ? String.format(Locale.ROOT, "%-14s", value)
                    : String.format(Locale.ROOT, "  %s %s", name, value)));
    System.out.println(line);
  }
}
