package dev.sortie.benchmarks.paper;

import java.util.List;

/**
 * One command.
 *
 * @param id of its figures, which is also the name of the file that it prints into
 * @param words of the command, after {@code ./sortie}
 */
public record Run(String id, List<String> words) {
  public Run {
    words = List.copyOf(words);
  }

  static Run of(String id, String command) {
    return new Run(id, List.of(command.split(" ")));
  }

  /** The name of the command. */
  String command() {
    return words.getFirst();
  }

  /** As one types it. */
  public String line() {
    return "./sortie " + String.join(" ", words);
  }
}
