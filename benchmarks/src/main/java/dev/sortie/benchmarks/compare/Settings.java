package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.peer.Peers;
import dev.sortie.nn.UsageException;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * What a comparison is asked for.
 *
 * @param threads of both sides
 * @param cases only cases in whose name this is found
 * @param rounds samples of each side and case
 * @param peers where the peers are installed
 * @param progress is told each step in words
 */
public record Settings(
    int threads, Pattern cases, int rounds, Peers peers, Consumer<String> progress) {

  /** The cases asked for; there is at least one. */
  public <T> List<T> choose(List<T> all, Function<T, String> name) {
    List<T> chosen = all.stream().filter(c -> cases.matcher(name.apply(c)).find()).toList();
    if (chosen.isEmpty()) {
      throw new UsageException(
          "--case '" + cases + "' matches none of " + all.stream().map(name).toList());
    }
    return chosen;
  }
}
