package dev.sortie.eetuning.serve.api;

/** A part of an answer of a model that may call functions. */
sealed interface ToolPiece {

  /** Words. */
  record Text(String text) implements ToolPiece {}

  /**
   * A call.
   *
   * @param id of the call
   * @param name of the function
   * @param arguments as JSON
   */
  record Call(String id, String name, String arguments) implements ToolPiece {}
}
