package dev.sortie.eetuning.eval.task;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.json.JsonLines;
import dev.sortie.nn.json.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Reads tasks, an item per line. Errors name the file, the line and the field. */
public final class TaskFile {
  private static final int MOST_TOKENS = 1 << 16;
  private static final Set<String> CHOICE =
      Set.of("task", "id", "context", "delimiter", "choices", "answer");
  private static final Set<String> ANSWER =
      Set.of("task", "id", "prompt", "references", "stop", "max_tokens");

  private TaskFile() {}

  /**
   * The items of a file.
   *
   * @param maxTokens of an answer whose line does not say
   */
  public static List<TaskItem> read(Path file, int maxTokens) {
    String name =
        NamedInput.isStandard(file)
            ? NamedInput.name(file)
            : file.getFileName().toString().replaceFirst("\\.[^.]*$", "");
    List<TaskItem> items = new ArrayList<>();
    for (JsonObject line : JsonLines.read(file)) {
      String task = line.optional("task", line::getString).orElse(name);
      String id = line.optional("id", line::getString).orElse(String.valueOf(items.size() + 1));
      items.add(
          line.contains("choices") ? choice(line, task, id) : answer(line, task, id, maxTokens));
    }
    return items;
  }

  /**
   * The items of a file of prompts alone.
   *
   * @param maxTokens as above
   * @throws InputException if an item is a choice
   */
  public static List<TaskItem.Answer> prompts(Path file, int maxTokens) {
    List<TaskItem.Answer> prompts = new ArrayList<>();
    for (TaskItem item : read(file, maxTokens)) {
      switch (item) {
        case TaskItem.Answer a -> prompts.add(a);
        case TaskItem.Choice c ->
            throw new InputException(
                file + ": item " + c.id() + " has choices; an item with a prompt is expected");
      }
    }
    return prompts;
  }

  private static TaskItem choice(JsonObject line, String task, String id) {
    line.refuseUnknown(CHOICE);
    List<String> choices = line.getStrings("choices");
    if (choices.size() < 2 || choices.stream().anyMatch(String::isEmpty)) {
      throw line.error("choices", "two texts or more, none of them empty");
    }
    return new TaskItem.Choice(
        task,
        id,
        notEmpty(line, "context"),
        line.optional("delimiter", line::getString).orElse(" "),
        choices,
        line.getInt("answer", 0, choices.size() - 1));
  }

  private static TaskItem answer(JsonObject line, String task, String id, int maxTokens) {
    line.refuseUnknown(ANSWER);
    List<String> references =
        line.contains("references") ? line.getStrings("references") : List.of();
    List<String> stop = line.contains("stop") ? line.getStrings("stop") : List.of();
    if (stop.stream().anyMatch(String::isEmpty)) {
      throw line.error("stop", "texts that are not empty");
    }
    int most = line.has("max_tokens") ? line.getInt("max_tokens", 1, MOST_TOKENS) : maxTokens;
    return new TaskItem.Answer(task, id, notEmpty(line, "prompt"), references, stop, most);
  }

  private static String notEmpty(JsonObject line, String field) {
    String text = line.getString(field);
    if (text.isEmpty()) {
      throw line.error(field, "a text of at least one character");
    }
    return text;
  }
}
