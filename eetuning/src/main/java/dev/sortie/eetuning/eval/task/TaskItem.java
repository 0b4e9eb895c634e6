package dev.sortie.eetuning.eval.task;

import java.util.List;

/** One item of a task. The form of files is in {@code docs/tasks.md}. */
public sealed interface TaskItem {

  /** Name of the task it belongs to. */
  String task();

  /** Its name, for messages. */
  String id();

  /**
   * Several endings of which one is right.
   *
   * @param context what stands before; not empty
   * @param delimiter what stands between the context and a choice
   * @param choices two or more
   * @param answer index of the right one
   */
  record Choice(
      String task, String id, String context, String delimiter, List<String> choices, int answer)
      implements TaskItem {
    public Choice {
      choices = List.copyOf(choices);
    }
  }

  /**
   * A text to continue.
   *
   * @param prompt what stands before; not empty
   * @param references right answers; the best match counts
   * @param stop texts that end the answer
   * @param maxTokens tokens of the answer at most
   */
  record Answer(
      String task,
      String id,
      String prompt,
      List<String> references,
      List<String> stop,
      int maxTokens)
      implements TaskItem {
    public Answer {
      references = List.copyOf(references);
      stop = List.copyOf(stop);
    }
  }
}
