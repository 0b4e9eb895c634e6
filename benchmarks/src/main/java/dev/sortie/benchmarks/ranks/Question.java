package dev.sortie.benchmarks.ranks;

import dev.sortie.nn.InputException;

/**
 * What two ranks are asked: a line of text, {@code WHAT BYTES CALLS} and for our side {@code
 * WHERE}.
 *
 * @param what to do
 * @param bytes of the buffer
 * @param calls to time
 * @param where the buffer lies
 */
public record Question(What what, long bytes, int calls, Where where) {

  /** What to do. */
  public enum What {
    /** Sum whole numbers once and hash the sum. */
    CHECK,
    /** Time sums in place. */
    SUM,
    /** Time messages there and back. */
    MESSAGES,
    /** Time messages from rank 0 to rank 1, an answer of a few bytes after the last. */
    STREAM,
    /** Time messages both ways at once. */
    BOTH
  }

  /** Where the buffer lies, or what carries it. */
  public enum Where {
    /** In memory that both ranks see. */
    SHARED,
    /** In memory of its own, as a caller may have it. */
    PRIVATE,
    /** In memory of its own; plain sockets carry it, not the communicator. */
    SOCKET
  }

  /** As the peer reads it. */
  public String forPeer() {
    return lower(what) + " " + bytes + " " + calls;
  }

  String line() {
    return forPeer() + " " + lower(where);
  }

  /** The same with another number of calls. */
  public Question withCalls(int other) {
    return new Question(what, bytes, other, where);
  }

  static Question parse(String line) {
    String[] words = line.split(" ");
    if (words.length != 4) {
      throw new InputException("a question has four words, got \"" + line + "\"");
    }
    return new Question(
        What.valueOf(upper(words[0])),
        Long.parseLong(words[1]),
        Integer.parseInt(words[2]),
        Where.valueOf(upper(words[3])));
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(java.util.Locale.ROOT);
  }

  private static String upper(String word) {
    return word.toUpperCase(java.util.Locale.ROOT);
  }
}
