package dev.sortie.benchmarks.cold;

import dev.sortie.benchmarks.compare.DisagreementException;
import dev.sortie.benchmarks.measure.CommandProcess;
import dev.sortie.benchmarks.measure.Turns;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A prompt and its answer: {@code generate} from its start to the first token and to its end.
 *
 * @param name of the case
 * @param model as {@code --model} names it
 * @param tokenizer the model's
 * @param prompt tokens of the prompt, special ones not counted
 * @param answer tokens that follow
 * @param sortie our side
 * @param llama the peer, if there is one
 * @param folder for the prompt
 */
public record PromptCase(
    String name,
    String model,
    Tokenizer tokenizer,
    int prompt,
    int answer,
    Launcher sortie,
    Optional<LlamaStart> llama,
    Path folder)
    implements ColdCase {
  private static final int SPECIAL = 1;

  @Override
  public Measured measure(int rounds) {
    String text = PromptText.of(prompt, tokenizer);
    Path file = folder.resolve("prompt-" + prompt + ".txt");
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be written", e);
    }
    String peer = llama.map(l -> checkPeer(l, file)).orElse(""); // fails soonest if not installed
    check(file);
    List<Supplier<StartTime>> sides = new ArrayList<>();
    sides.add(() -> watch(sortie.start(words(file)), text));
    llama.ifPresent(l -> sides.add(() -> watch(l.start(file, answer), "")));
    List<List<StartTime>> samples = Turns.samples(rounds, sides);
    List<StartTime> theirs = llama.isPresent() ? samples.getLast() : List.of();
    return new Measured(
        peer,
        List.of(
            new ColdRow(
                name + ", first token",
                samples.getFirst().stream().map(StartTime::firstToken).toList(),
                theirs.stream().map(StartTime::firstToken).toList()),
            new ColdRow(
                name + ", exit",
                samples.getFirst().stream().map(StartTime::exit).toList(),
                theirs.stream().map(StartTime::exit).toList())));
  }

  private List<String> words(Path file) {
    return List.of(
        "generate",
        "--model",
        model,
        "--dtype",
        "file",
        "--prompt-file",
        file.toString(),
        "--max-tokens",
        Integer.toString(answer),
        "--ignore-eos");
  }

  private static StartTime watch(CommandProcess process, String prompt) {
    try (process) {
      return StartTime.watch(process, prompt);
    }
  }

  /** An untimed run, which also brings the files into the operating system's cache. */
  private void check(Path file) {
    List<String> words = new ArrayList<>(words(file));
    words.add("--json");
    JsonObject result = sortie.json(words);
    checkTokens(
        "Sortie",
        result.getInts("prompt_ids", 0, Integer.MAX_VALUE).size(),
        result.getObjects("tokens").size());
  }

  /** The same of the peer: its name. */
  private String checkPeer(LlamaStart peer, Path file) {
    try (CommandProcess process = peer.start(file, answer)) {
      StartTime.watch(process, "");
      JsonObject report = LlamaStart.report(process);
      checkTokens(
          "llama.cpp",
          report.getInt("prompt_tokens", 0, Integer.MAX_VALUE),
          report.getInt("tokens", 0, Integer.MAX_VALUE));
      return report.getString("peer");
    }
  }

  private void checkTokens(String side, int ofPrompt, int ofAnswer) {
    if (ofPrompt < prompt || ofPrompt > prompt + SPECIAL || ofAnswer != answer) {
      throw new DisagreementException(
          "%s: %s read %d tokens and wrote %d, expected %d (and BOS at most) and %d"
              .formatted(name, side, ofPrompt, ofAnswer, prompt, answer));
    }
  }
}
