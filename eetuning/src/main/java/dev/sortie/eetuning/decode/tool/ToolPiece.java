package dev.sortie.eetuning.decode.tool;

import java.util.UUID;

/** A part of an answer of a model that may call functions. */
public sealed interface ToolPiece {

  /** Words. */
  record Text(String text) implements ToolPiece {}

  /**
   * A call.
   *
   * @param id of the call
   * @param name of the function
   * @param arguments as JSON
   */
  record Call(String id, String name, String arguments) implements ToolPiece {

    /** A call with an id of its own. */
    Call(String name, String arguments) {
      this("call_" + UUID.randomUUID().toString().replace("-", ""), name, arguments);
    }
  }
}
