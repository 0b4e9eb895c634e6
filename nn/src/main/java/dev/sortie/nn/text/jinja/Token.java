package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.TemplateSource.Place;

/**
 * A piece of a template.
 *
 * @param kind what it is
 * @param text its text; the value of a string, with escapes resolved
 * @param place where it begins
 */
record Token(Kind kind, String text, Place place) {
  enum Kind {
    DATA,
    OUTPUT_BEGIN,
    OUTPUT_END,
    BLOCK_BEGIN,
    BLOCK_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(Kind wanted, String wantedText) {
    return kind == wanted && text.equals(wantedText);
  }

  boolean isOperator(String operator) {
    return is(Kind.OPERATOR, operator);
  }

  boolean isName(String name) {
    return is(Kind.NAME, name);
  }

  /** For messages. */
  String shown() {
    return switch (kind) {
      case DATA -> "text";
      case OUTPUT_BEGIN -> "'{{'";
      case OUTPUT_END -> "'}}'";
      case BLOCK_BEGIN -> "'{%'";
      case BLOCK_END -> "'%}'";
      case END -> "the end of the template";
      case STRING -> "string " + PythonText.quoted(text);
      default -> PythonText.quoted(text);
    };
  }
}
