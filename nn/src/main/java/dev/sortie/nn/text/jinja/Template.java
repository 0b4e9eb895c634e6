package dev.sortie.nn.text.jinja;

import dev.sortie.nn.InputException;
import java.time.LocalDateTime;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A template in the part of Jinja that chat templates use, with the settings of transformers:
 * {@code trim_blocks} and {@code lstrip_blocks} on, no escaping, loop controls, values that cannot
 * be changed. What is not supported is refused with its line and column. A template is untrusted:
 * its rendering ends with a message where a limit is reached.
 */
public final class Template {
  private static final Pattern NAME = Pattern.compile("[A-Za-z_]\\w*");

  private final TemplateSource source;
  private final List<Statement> body;
  private final TemplateLimits limits;

  private Template(TemplateSource source, List<Statement> body, TemplateLimits limits) {
    this.source = source;
    this.body = body;
    this.limits = limits;
  }

  /** The texts that stand in it, between tags and as constants. */
  public Set<String> literals() {
    return Lexer.tokens(source).stream()
        .filter(t -> t.kind() == Token.Kind.DATA || t.kind() == Token.Kind.STRING)
        .map(Token::text)
        .collect(Collectors.toSet());
  }

  /** The names of fields that it may read: those after a dot, and constants that are names. */
  public Set<String> fields() {
    Set<String> fields = new HashSet<>();
    boolean dot = false;
    for (Token t : Lexer.tokens(source)) {
      if (t.kind() == Token.Kind.NAME && dot
          || t.kind() == Token.Kind.STRING && NAME.matcher(t.text()).matches()) {
        fields.add(t.text());
      }
      dot = t.isOperator(".");
    }
    return fields;
  }

  /** Whether a variable of this name may be read: the name stands in it, and not after a dot. */
  public boolean reads(String variable) {
    boolean dot = false;
    for (Token t : Lexer.tokens(source)) {
      if (t.kind() == Token.Kind.NAME && !dot && t.text().equals(variable)) {
        return true;
      }
      dot = t.isOperator(".");
    }
    return false;
  }

  /**
   * Parses a template.
   *
   * @param origin names it in messages, such as a file and field
   * @throws InputException naming line and column of what is wrong or not supported
   */
  public static Template parse(String origin, String text, TemplateLimits limits) {
    if (text.length() > limits.source()) {
      throw new InputException(
          "%s: the template has %d characters, at most %d are allowed"
              .formatted(origin, text.length(), limits.source()));
    }
    TemplateSource source = new TemplateSource(origin, text);
    return new Template(source, StatementParser.parse(source, limits.depth() / 3), limits);
  }

  /**
   * Renders it. Variables are null, Boolean, Long, BigInteger, Double, String, List and Map with
   * string keys; no text among them is ever read as a template.
   *
   * @param now the time, where the template asks for it
   * @throws InputException naming line and column of what fails or is refused
   */
  public String render(Map<String, ?> variables, Supplier<LocalDateTime> now) {
    Variables scope = new Variables(null);
    variables.forEach(scope::set);
    RenderContext context = new RenderContext(limits.budget(), now);
    return new Renderer(source, context).render(body, scope);
  }
}
