package dev.sortie.benchmarks.ranks;

import dev.sortie.nn.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** How a command is run: by one rank, by two, or by two that know nothing of each other. */
public enum Layout {
  /** One rank: what the others are compared with. */
  ONE("one", "one rank", 1, 1),
  /**
   * The command twice at the same time, each alone with its own memory and files: what two ranks
   * could reach on this machine if they had nothing to tell each other and no work more than one.
   */
  APART("apart", "two commands at once", 2, 1),
  /** Two replicas. */
  DP("dp", "--dp 2", 1, 2),
  /** Two stages. */
  PP("pp", "--pp 2", 1, 2),
  /** Two ranks that share the weights. */
  TP("tp", "--tp 2", 1, 2);

  private final String word;
  private final String label;
  private final int commands;
  private final int ranks;

  Layout(String word, String label, int commands, int ranks) {
    this.word = word;
    this.label = label;
    this.commands = commands;
    this.ranks = ranks;
  }

  /** By what users call it. */
  public static Layout of(String word) {
    for (Layout layout : values()) {
      if (layout.word.equals(word)) {
        return layout;
      }
    }
    throw new UsageException("--layout " + word + " is unknown; take one, apart, dp, pp or tp");
  }

  /** What users call it. */
  public String word() {
    return word;
  }

  /** What tables say. */
  public String label() {
    return label;
  }

  /** Whether the result must have the bits of one rank. */
  public boolean isExact() {
    return this != TP;
  }

  /**
   * The commands that run at one time.
   *
   * @param sortie how Sortie is started
   * @param command what is measured, with its options
   * @param each options of each of the commands
   */
  List<List<String>> words(String sortie, List<String> command, List<List<String>> each) {
    return IntStream.range(0, commands)
        .mapToObj(
            i -> {
              List<String> words = new ArrayList<>(List.of(sortie));
              if (ranks > 1) {
                words.addAll(List.of("launch", "--nproc", String.valueOf(ranks), "--", sortie));
              }
              words.addAll(command);
              if (ranks > 1) {
                words.addAll(List.of("--" + word, String.valueOf(ranks)));
              }
              words.addAll(each.get(i));
              return words;
            })
        .toList();
  }

  /** Commands at one time. */
  int commands() {
    return commands;
  }
}
