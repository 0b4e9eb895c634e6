package dev.sortie.parallel.comm;

/**
 * A collective could not be carried out. The state of the ranks is unknown afterwards: every later
 * call on the same transport fails at once, and the job starts again from its last checkpoint.
 */
public final class CommException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What went wrong. */
  public enum Kind {
    /** Ranks made different calls. */
    MISMATCH,
    /** A rank died, or its connection broke, or it does not answer. */
    LOST_RANK,
    /** A wait took longer than its deadline. */
    DEADLINE,
    /** A rank gave up and said why. */
    ABORTED,
    /** Damaged or foreign bytes on the way. */
    CORRUPT,
    /** The transport was closed. */
    CLOSED
  }

  private final Kind kind;

  /** An error with its one-line message. */
  public CommException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  /** An error with its one-line message and cause. */
  public CommException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  /** What went wrong. */
  public Kind kind() {
    return kind;
  }
}
