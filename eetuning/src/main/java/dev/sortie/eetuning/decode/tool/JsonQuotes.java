package dev.sortie.eetuning.decode.tool;

/** Tells what stands within the strings of a JSON text that is read character by character. */
final class JsonQuotes {
  private boolean open;
  private boolean escaped;

  /** Whether the next character belongs to a string, its quotation marks included. */
  boolean take(char c) {
    if (!open) {
      open = c == '"';
      return open;
    }
    open = escaped || c != '"';
    escaped = !escaped && c == '\\';
    return true;
  }
}
