package dev.sortie.parallel.comm;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The kinds of calls. */
public enum Operation {
  MESSAGE(0),
  BROADCAST(1),
  ALL_REDUCE(3),
  REDUCE_SCATTER(4),
  ALL_GATHER(5),
  BARRIER(7);

  private final int code;

  Operation(int code) {
    this.code = code;
  }

  /** What stands for it in messages: part of the wire format. */
  public int code() {
    return code;
  }

  /** The operation with this code; empty if there is none. */
  public static Optional<Operation> of(int code) {
    return Arrays.stream(values()).filter(operation -> operation.code == code).findFirst();
  }

  /** As messages spell it, such as {@code all-reduce}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
