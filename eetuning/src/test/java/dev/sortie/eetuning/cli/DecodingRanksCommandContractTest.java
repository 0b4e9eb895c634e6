package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code generate} as several processes: that share the weights of one model, or its layers. */
@Tag("any-kernels")
@Tag("slow")
class DecodingRanksCommandContractTest {
  @TempDir private static Path folder;

  private static Path model;

  @BeforeAll
  static void makeModel() {
    model = TinyModel.write(folder.resolve("model"), 1);
  }

  private static String[] words(String... more) {
    String[] first = {
      "generate",
      "--threads",
      "1",
      "--model",
      model.toString(),
      "--prompt",
      "The fox ran",
      "--max-tokens",
      "20",
      "--ignore-eos",
      "--json"
    };
    return words(first, more);
  }

  @Test
  void rankZeroPrintsTheTextOfOneProcessAndTheOtherNothing()
      throws IOException, InterruptedException {
    for (String temperature : List.of("0", "0.8")) {
      JsonObject alone = CommandLineRun.of(words("--temperature", temperature)).json();
      List<CommandLineRun> ranks = job(2, words("--tp", "2", "--temperature", temperature));
      JsonObject shared = ranks.getFirst().succeeded().json();
      assertThat(ids(shared)).isEqualTo(ids(alone)).hasSize(20);
      assertThat(shared.getString("text")).isEqualTo(alone.getString("text"));
      assertThat(ranks.getLast().succeeded().out()).isEmpty();
    }
  }

  private static List<Integer> ids(JsonObject json) {
    return json.getObjects("tokens").stream().map(t -> t.getInt("id", 0, 1 << 20)).toList();
  }

  private static List<CommandLineRun> job(int ranks, String... words)
      throws IOException, InterruptedException {
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    List<CommandLineProcess> processes = new ArrayList<>();
    List<CommandLineRun> runs = new ArrayList<>();
    try {
      for (int r = 0; r < ranks; r++) {
        Map<String, String> environment =
            Map.of(
                "RANK", String.valueOf(r),
                "WORLD_SIZE", String.valueOf(ranks),
                "LOCAL_WORLD_SIZE", String.valueOf(ranks),
                "MASTER_ADDR", "localhost",
                "MASTER_PORT", String.valueOf(port),
                "SORTIE_JOB_TOKEN", "a secret of this test, port " + port);
        processes.add(new CommandLineProcess(environment, words));
      }
      for (CommandLineProcess process : processes) {
        runs.add(process.end());
      }
    } finally {
      for (CommandLineProcess process : processes) {
        process.close();
      }
    }
    return runs;
  }

  /** Stages of one rank each, and of two; the text is that of one process, with all its exits. */
  @Test
  void aPipelineWritesTheTextsOfOneProcess() throws IOException, InterruptedException {
    Path exits = folder.resolve("exits");
    CommandLineRun.of(
            "add-exits", "--model", model.toString(), "--at", "1,2", "--out", exits.toString())
        .succeeded();
    Path prompts = Files.writeString(folder.resolve("prompts"), "The fox\nhen sat under\nThe\n");
    Path drawn = folder.resolve("stages.svg");
    String[] early = {
      "generate",
      "--threads",
      "1",
      "--model",
      model.toString(),
      "--prompts",
      prompts.toString(),
      "--max-tokens",
      "12",
      "--exits",
      exits.toString(),
      "--active",
      "all",
      "--threshold",
      "0.12",
      "--json"
    };
    JsonObject alone = CommandLineRun.of(words(early, "--draft", "none")).json();
    List<CommandLineRun> ranks =
        job(2, words(early, "--pp", "2", "--cut", "1", "--plot-schedule", drawn.toString()));
    JsonObject piped = ranks.getFirst().succeeded().json();
    assertThat(traces(piped)).isEqualTo(traces(alone)).hasSize(3);
    assertThat(traces(piped).toString()).contains("exit=1", "exit=final");
    assertThat(ranks.getLast().succeeded().out()).isEmpty();
    assertThat(drawn).content().contains("stage 1", "fill");
    JsonObject shared =
        job(4, words(early, "--tp", "2", "--pp", "2")).getFirst().succeeded().json();
    assertThat(shared.getObjects("texts")).hasSize(3);
  }

  private static String[] words(String[] first, String... more) {
    return Stream.concat(Stream.of(first), Stream.of(more)).toArray(String[]::new);
  }

  /** Of each text each token: id, text, exit, confidence. */
  private static List<String> traces(JsonObject json) {
    return json.getObjects("texts").stream()
        .map(t -> t.getObjects("tokens").stream().map(o -> o.fields().toString()).toList())
        .map(List::toString)
        .toList();
  }

  @Test
  void whatRanksWouldDecideEachForItselfIsRefused() {
    CommandLineRun.of(words("--tp", "2", "--strategy", "speculative"))
        .assertRefused(2, "--strategy speculative is for one rank", "leave out --tp and --pp");
    CommandLineRun.of(words("--pp", "2", "--strategy", "speculative"))
        .assertRefused(2, "--strategy speculative is for one rank");
    CommandLineRun.of(words("--pp", "2", "--exits", folder.toString(), "--draft", "prompt-lookup"))
        .assertRefused(2, "--draft prompt-lookup is for one rank", "early-exit without --draft");
    CommandLineRun.of(words("--cut", "1")).assertRefused(2, "--cut is for a pipeline");
    CommandLineRun.of(words("--pp", "3", "--cut", "1"))
        .assertRefused(2, "--cut names 1 layers, --pp 3 has 2 places between stages");
    CommandLineRun.of(words("--pp", "2", "--batch", "4"))
        .assertRefused(2, "--batch 4 is for --prompts FILE");
  }

  @Test
  void aWrongNumberOfRanksIsRefused() throws IOException, InterruptedException {
    Map<String, String> environment =
        Map.of("RANK", "0", "WORLD_SIZE", "1", "LOCAL_WORLD_SIZE", "1");
    try (CommandLineProcess process = new CommandLineProcess(environment, words("--tp", "3"))) {
      process
          .end()
          .assertRefused(
              1, "--tp 3 needs 3 ranks, this job has 1", "start as many with launch --nproc 3");
    }
  }
}
