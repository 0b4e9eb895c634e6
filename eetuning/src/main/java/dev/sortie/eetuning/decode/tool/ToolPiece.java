package dev.sortie.eetuning.decode.tool;

import java.util.concurrent.ThreadLocalRandom;

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
   * @param isCut whether the answer ended within the arguments, so that they are no JSON
   */
  record Call(String id, String name, String arguments, boolean isCut) implements ToolPiece {

    private static final String ID_CHARACTERS =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /** The chat template of Mistral refuses ids of another length or with other characters. */
    private static final int ID_LENGTH = 9;

    /** A call with an id of its own. */
    Call(String name, String arguments, boolean isCut) {
      this(newId(), name, arguments, isCut);
    }

    private static String newId() {
      StringBuilder id = new StringBuilder();
      ThreadLocalRandom.current()
          .ints(ID_LENGTH, 0, ID_CHARACTERS.length())
          .forEach(i -> id.append(ID_CHARACTERS.charAt(i)));
      return id.toString();
    }
  }
}
