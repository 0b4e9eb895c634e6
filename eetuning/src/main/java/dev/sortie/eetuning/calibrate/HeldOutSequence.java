package dev.sortie.eetuning.calibrate;

import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.file.TextFiles;
import dev.sortie.nn.json.JsonLines;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * One held-out sequence.
 *
 * @param ids its tokens
 * @param kind what they are
 */
public record HeldOutSequence(int[] ids, Kind kind) {
  private static final String QUESTION = "question";
  private static final String PROMPT = "prompt";
  private static final String TEXT = "text";

  /** Tokens of a text that are only read. */
  private static final int READ = 8;

  /** What the tokens of a sequence are. */
  public enum Kind {
    /** They count themselves, but for the first ones. */
    TEXT,
    /** The full-depth model continues them, and what follows counts. */
    PROMPT,
    /** The same of a question in the chat template, whose answer ends as answers do. */
    QUESTION
  }

  /** Whether tokens that follow count. */
  public boolean isPrompt() {
    return kind != Kind.TEXT;
  }

  /** Tokens of a text that come before those that count. */
  public int given() {
    return isPrompt() ? ids.length : Math.min(READ, ids.length / 2);
  }

  /**
   * The sequences of files: of a {@code .jsonl} file, or a pipe that begins with a brace, one a
   * line, {@code {"question": "…"}}, which is asked through the model's chat template, {@code
   * {"prompt": "…"}}, which is continued as it is, or {@code {"text": "…"}}; anything else is text,
   * cut into windows.
   *
   * @param window tokens of a text at most
   * @param answer tokens of an answer at most
   */
  public static List<HeldOutSequence> read(
      List<Path> files, LanguageModel model, int window, int answer) {
    int context = model.config().decoder().context();
    if (window < 4 || window > context) {
      throw new UsageException(
          "--window " + window + " is outside 4 to " + context + ", the model's context");
    }
    List<HeldOutSequence> all = new ArrayList<>();
    for (Path file : files) {
      String text = TextFiles.read(file, TextFiles.CORPUS);
      if (JsonLines.isIn(file, text)) {
        List<JsonObject> lines = JsonLines.parse(NamedInput.name(file), text);
        Optional<ChatTemplate> template =
            lines.stream().anyMatch(line -> line.has(QUESTION))
                ? Optional.of(ChatTemplate.required(model.path()))
                : Optional.empty();
        for (JsonObject line : lines) {
          all.add(ofLine(line, model, template, window, context - answer));
        }
      } else {
        all.addAll(windows(NamedInput.name(file), text, model, window));
      }
    }
    return all;
  }

  /**
   * That of a line.
   *
   * @param template of the model, where a line is a question
   */
  private static HeldOutSequence ofLine(
      JsonObject line, LanguageModel model, Optional<ChatTemplate> template, int window, int room) {
    line.refuseUnknown(Set.of(QUESTION, PROMPT, TEXT, "id"));
    List<String> given = Stream.of(QUESTION, PROMPT, TEXT).filter(line::has).toList();
    if (given.size() != 1) {
      throw line.error(PROMPT, "one of question, prompt and text");
    }
    String field = given.getFirst();
    String text = line.getString(field);
    Kind kind = Kind.valueOf(field.toUpperCase(Locale.ROOT));
    boolean prompt = kind != Kind.TEXT;
    if (prompt && room < 1) {
      int context = model.config().decoder().context();
      throw new InputException(
          "--tokens %d leaves no room for a prompt in the model's context of %d; give at most %d"
              .formatted(context - room, context, context - 1));
    }
    int[] ids =
        kind == Kind.QUESTION
            ? asked(text, template.orElseThrow(), model)
            : model.tokenizer().encode(text);
    if (prompt && (ids.length < 1 || ids.length > room)) {
      throw line.error(field, "1 to " + room + " tokens, this one has " + ids.length);
    }
    if (!prompt && ids.length < 4) {
      throw line.error(field, "at least 4 tokens, this one has " + ids.length);
    }
    return new HeldOutSequence(
        prompt ? ids : Arrays.copyOf(ids, Math.min(ids.length, window)), kind);
  }

  private static int[] asked(String question, ChatTemplate template, LanguageModel model) {
    return template.encode(
        List.of(ChatMessage.of("user", question)), ChatOptions.DEFAULT, model.tokenizer());
  }

  private static List<HeldOutSequence> windows(
      String file, String text, LanguageModel model, int window) {
    int[] ids = model.tokenizer().encode(text);
    List<HeldOutSequence> list = new ArrayList<>();
    for (int from = 0; from + window <= ids.length; from += window) {
      list.add(new HeldOutSequence(Arrays.copyOfRange(ids, from, from + window), Kind.TEXT));
    }
    if (list.isEmpty()) {
      throw new InputException(
          file + ": has " + ids.length + " tokens, fewer than --window " + window);
    }
    return list;
  }
}
