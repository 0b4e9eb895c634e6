package dev.sortie.eetuning.cli.base;

import java.util.Arrays;
import java.util.Optional;

/** What a user is told where memory ran out: what was being done, and how much there was. */
final class OutOfMemory {
  /** What the classes of a package do, the more special package first. */
  private enum Work {
    TOKENIZER("dev.sortie.nn.text.format.", "reading a tokenizer"),
    TEMPLATE("dev.sortie.nn.text.jinja.", "rendering the chat template"),
    CHAT("dev.sortie.nn.text.chat.", "rendering the chat template"),
    TOKEN_FILE("dev.sortie.nn.text.data.", "reading tokens"),
    TEXT("dev.sortie.nn.text.", "encoding or decoding a text"),
    JSON("dev.sortie.nn.json.", "reading JSON"),
    FILE("dev.sortie.nn.file.", "reading a file"),
    FORMAT("dev.sortie.nn.format.", "reading a model's file"),
    LOADING("dev.sortie.nn.load.", "loading a model"),
    MESSAGES("dev.sortie.parallel.", "exchanging data between ranks"),
    TRAINING("dev.sortie.eetuning.train.", "training"),
    DECODING("dev.sortie.eetuning.decode.", "generating"),
    EVALUATING("dev.sortie.eetuning.eval.", "evaluating");

    private final String prefix;
    private final String words;

    Work(String prefix, String words) {
      this.prefix = prefix;
      this.words = words;
    }
  }

  private OutOfMemory() {}

  /** The line. A refusal of our own says how much was asked for; the JVM says how much it has. */
  static String line(OutOfMemoryError e) {
    String message = String.valueOf(e.getMessage());
    String room =
        message.startsWith("Java heap space")
            ? " (all %d MiB of it)".formatted(Runtime.getRuntime().maxMemory() >> 20)
            : "";
    String doing = work(e).map(work -> " while " + work.words).orElse("");
    return "out of memory%s: %s%s; close other programs, use a smaller input, or give Java more with SORTIE_JAVA_OPTS=-Xmx8g"
        .formatted(doing, message, room);
  }

  /** That of the innermost frame which says; empty where the JVM had no room for a trace. */
  private static Optional<Work> work(OutOfMemoryError e) {
    return Arrays.stream(e.getStackTrace())
        .flatMap(
            frame ->
                Arrays.stream(Work.values())
                    .filter(work -> frame.getClassName().startsWith(work.prefix))
                    .limit(1))
        .findFirst();
  }
}
