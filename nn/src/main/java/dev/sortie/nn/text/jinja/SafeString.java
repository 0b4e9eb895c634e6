package dev.sortie.nn.text.jinja;

/**
 * A string marked safe for HTML. Chat templates escape nothing, so it prints as it is; but joined
 * to another string by {@code +} it escapes that one, even here.
 */
record SafeString(String text) {
  private static final String ESCAPED = "&<>'\"";

  static SafeString joined(Object left, Object right) {
    return new SafeString(escaped(left) + escaped(right));
  }

  private static String escaped(Object part) {
    if (part instanceof SafeString safe) {
      return safe.text();
    }
    return ((String) part)
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("'", "&#39;")
        .replace("\"", "&#34;");
  }

  /** An argument of a method of a safe string, unless the method might escape it. */
  static void refuseEscaped(String argument) {
    if (argument.chars().anyMatch(c -> ESCAPED.indexOf(c) >= 0)) {
      throw new ValueException(
          "a method of a text marked safe with the argument "
              + PythonText.quoted(argument)
              + " is not supported; leave out the filter 'safe'");
    }
  }
}
