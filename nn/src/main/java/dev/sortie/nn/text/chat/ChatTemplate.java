package dev.sortie.nn.text.chat;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.file.TextFiles;
import dev.sortie.nn.format.Gguf;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.jinja.Template;
import dev.sortie.nn.text.jinja.TemplateLimits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/**
 * How a model wants a conversation written down: a Jinja template that comes with it. It renders as
 * {@code apply_chat_template} of transformers does. Templates and messages are untrusted: messages
 * are never read as templates, and a template that runs too long ends with a message.
 */
public final class ChatTemplate {
  /** The field that holds a message's reasoning; templates read it under one of these names. */
  private static final List<String> REASONING =
      List.of("reasoning_content", "thinking", "reasoning");

  /** The name of a template for conversations with tools. */
  private static final String TOOLS = "tool_use";

  private static final String CONTENT = "content";

  private static final Pattern NO_CONTENT =
      Pattern.compile("content['\"]?\\s*\\]?\\s+is\\s+(not\\s+)?none");

  private static final Pattern ROLE = Pattern.compile("[A-Za-z_]+");

  private final String origin;
  private final Map<String, String> sources;
  private final Map<String, Template> templates;
  private final Map<String, String> specials;

  /** Of the last conversation encoded: most have the same template and tokenizer. */
  private volatile Guarded guarded;

  private ChatTemplate(
      String origin,
      Map<String, String> sources,
      Map<String, Template> templates,
      Map<String, String> specials) {
    this.origin = origin;
    this.sources = Map.copyOf(sources);
    this.templates = templates;
    this.specials = Map.copyOf(specials);
  }

  /**
   * A template.
   *
   * @param source its text
   * @param origin names it in messages, such as a file and field
   * @param specials special tokens by the names that templates use, such as {@code bos_token}
   * @throws InputException naming line and column of what is wrong or not supported
   */
  public static ChatTemplate of(String source, String origin, Map<String, String> specials) {
    return of(Map.of(ChatTemplateFiles.DEFAULT, source), origin, specials);
  }

  /**
   * Several templates of one model: {@code default}, and {@code tool_use} for conversations with
   * tools.
   */
  public static ChatTemplate of(
      Map<String, String> sources, String origin, Map<String, String> specials) {
    Map<String, Template> parsed = new HashMap<>();
    sources.forEach(
        (name, source) -> {
          String where = sources.size() == 1 ? origin : origin + " '" + name + "'";
          parsed.put(name, Template.parse(where, source, TemplateLimits.DEFAULT));
        });
    return new ChatTemplate(origin, sources, parsed, specials);
  }

  /**
   * The template of a model. In a Hugging Face folder it is {@code chat_template.jinja}, else
   * {@code chat_template} in {@code tokenizer_config.json}, and {@code additional_chat_templates}
   * next to the former has further ones; in a GGUF file, {@code tokenizer.chat_template} of the
   * metadata. Empty if there is none.
   */
  public static Optional<ChatTemplate> ofModel(Path model) {
    return Gguf.isGguf(model) ? ChatTemplateGguf.read(model) : ChatTemplateFiles.read(model);
  }

  /**
   * The templates of a model as text, by name; see {@link #ofModel}. One is {@code default}, others
   * are for conversations of some kind.
   *
   * @throws InputException if a file cannot be read, or is wrong
   */
  public static Map<String, String> sources(Path model) {
    return Gguf.isGguf(model) ? ChatTemplateGguf.sources(model) : ChatTemplateFiles.sources(model);
  }

  /** The key under which the metadata of a GGUF file have the template of this name. */
  public static String ggufKey(String name) {
    return ChatTemplateGguf.key(name);
  }

  /**
   * The template of a model that must have one.
   *
   * @throws InputException if it has none
   */
  public static ChatTemplate required(Path model) {
    return ofModel(model)
        .orElseThrow(
            () ->
                new InputException(
                    model
                        + ": has no chat template, so it does not say how a conversation is written; put one into chat_template.jinja or chat_template of tokenizer_config.json in the model's folder, or give --chat-template FILE"));
  }

  /** The template in a file of its own, with the special tokens that a model names. */
  public static ChatTemplate ofFile(Path file, Path model) {
    Map<String, String> specials =
        Gguf.isGguf(model) ? ChatTemplateGguf.specials(model) : ChatTemplateFiles.specials(model);
    return of(TextFiles.read(file, ChatTemplateFiles.MAX_BYTES), NamedInput.name(file), specials);
  }

  /** Whether a text stands in the template that conversations with tools have. */
  public boolean spells(String text) {
    return ofTools()
        .filter(template -> template.literals().stream().anyMatch(l -> l.contains(text)))
        .isPresent();
  }

  /** Whether conversations are written down with the tools that they have. */
  public boolean readsTools() {
    return ofTools().filter(template -> template.reads("tools")).isPresent();
  }

  /** Whether the text of a conversation may depend on a variable. */
  public boolean reads(String variable) {
    return templates.values().stream().anyMatch(template -> template.reads(variable));
  }

  /** The template that conversations with tools have. */
  private Optional<Template> ofTools() {
    return Optional.ofNullable(
        templates.getOrDefault(TOOLS, templates.get(ChatTemplateFiles.DEFAULT)));
  }

  /** Names it in messages. */
  public String origin() {
    return origin;
  }

  /** The same template by another name in messages. */
  public ChatTemplate named(String name) {
    return of(sources, name, specials);
  }

  /** SHA-256 of its text, that of others of the model, and its special tokens. */
  public String sha256() {
    Map<String, Object> all = Json.object("templates", new TreeMap<>(sources));
    all.put("specials", new TreeMap<>(specials));
    return Sha256.of(Json.utf8(origin, Json.compact(all)));
  }

  /**
   * The text of a conversation, special tokens spelled out.
   *
   * @throws InputException if the template refuses the messages, or fails; it names the place
   */
  public String render(List<ChatMessage> messages, ChatOptions options) {
    return render(messages, options, UnaryOperator.identity(), UnaryOperator.identity());
  }

  /**
   * As above.
   *
   * @param text is applied to each text that does not come from the template
   * @param name is applied to each name of a field
   */
  private String render(
      List<ChatMessage> messages,
      ChatOptions options,
      UnaryOperator<String> text,
      UnaryOperator<String> name) {
    Map<String, Object> variables = new LinkedHashMap<>(specials);
    options
        .variables()
        .forEach(
            (variable, value) ->
                variables.put(variable, PlainData.mapped(PlainData.of(value), text, name)));
    List<Object> list = new ArrayList<>();
    boolean asks = asksForContent(options);
    messages.forEach(message -> list.add(mapped(message, text, name, asks)));
    variables.put("messages", list);
    variables.put(
        "tools",
        options.tools().isEmpty()
            ? null
            : PlainData.mapped(PlainData.of(options.tools()), text, name));
    variables.put("documents", null);
    variables.put("add_generation_prompt", options.addGenerationPrompt());
    return template(options).render(variables, options.now());
  }

  /** A role that is a word is the application's: templates make control tokens of it. */
  private static Map<String, Object> mapped(
      ChatMessage message,
      UnaryOperator<String> text,
      UnaryOperator<String> name,
      boolean asksForContent) {
    Map<String, Object> fields = normalized(message);
    if (!fields.containsKey(CONTENT)) { // of a message that only calls functions
      fields.put(CONTENT, asksForContent ? null : "");
    }
    Map<String, Object> mapped = new LinkedHashMap<>();
    boolean word = ROLE.matcher(message.role()).matches();
    fields.forEach(
        (field, value) ->
            mapped.put(
                name.apply(field),
                word && field.equals("role") ? value : PlainData.mapped(value, text, name)));
    return mapped;
  }

  /**
   * The ids of a conversation. The template spells its special tokens, BOS too, so they are parsed
   * and none is added. No special token is parsed that has a character from messages, tools or
   * variables in it, whether they spell it or it comes about where texts meet each other or the
   * template: nobody who writes a message can end it and begin another ({@link TokenGuard}). Two
   * things are left to the template: the role of a message, if it is a word of letters, and tokens
   * that the model's files call added but not special.
   *
   * @throws InputException if the template refuses the messages, or fails; it names the place. Also
   *     if it changes guarded characters in foreign texts so that they are not known again
   */
  public int[] encode(List<ChatMessage> messages, ChatOptions options, Tokenizer tokenizer) {
    TokenGuard guard = guard(template(options), tokenizer);
    ChatOptions once = options.at(options.now().get());
    List<String> foreign = new ArrayList<>();
    UnaryOperator<String> noting =
        text -> {
          foreign.add(text);
          return text;
        };
    String text =
        render(messages, once, noting, name -> guard.isKnown(name) ? name : noting.apply(name));
    if (foreign.stream().noneMatch(guard::isGuarded)) {
      return tokenizer.encode(text, new BitSet());
    }
    for (StandIns letters : guard.standIns(foreign)) {
      Optional<String> other =
          rendered(
              messages,
              once,
              letters::replace,
              name -> guard.isKnown(name) ? name : letters.replace(name));
      if (other.isPresent() && letters.restore(other.get()).equals(text)) {
        return tokenizer.encode(text, letters.places(other.get()));
      }
    }
    throw new InputException(
        "%s: changes texts of the conversation that may be parts of control tokens, so that they cannot be told from its own; leave %s out of messages, or give another template"
            .formatted(origin, guard.shown()));
  }

  /** The text; empty where the template fails. */
  private Optional<String> rendered(
      List<ChatMessage> messages,
      ChatOptions options,
      UnaryOperator<String> text,
      UnaryOperator<String> name) {
    try {
      return Optional.of(render(messages, options, text, name));
    } catch (InputException e) {
      return Optional.empty();
    }
  }

  /** The guard of a template with a tokenizer. */
  private record Guarded(Template template, Tokenizer tokenizer, TokenGuard guard) {}

  private TokenGuard guard(Template template, Tokenizer tokenizer) {
    Guarded last = guarded;
    if (last == null || last.template != template || last.tokenizer != tokenizer) {
      TokenGuard guard =
          new TokenGuard(origin, tokenizer.specials(), template.literals(), template.fields());
      last = new Guarded(template, tokenizer, guard);
      guarded = last;
    }
    return last.guard;
  }

  /**
   * Whether the template tests if a message has a content. Others print it, where nothing is better
   * than the word None.
   */
  private boolean asksForContent(ChatOptions options) {
    return NO_CONTENT.matcher(sources.getOrDefault(name(options), "")).find();
  }

  private String name(ChatOptions options) {
    return !options.tools().isEmpty() && templates.containsKey(TOOLS)
        ? TOOLS
        : ChatTemplateFiles.DEFAULT;
  }

  private Template template(ChatOptions options) {
    Template found = templates.get(name(options));
    if (found == null) {
      throw new InputException(
          "%s: has the templates %s and none named 'default'; name one so"
              .formatted(origin, templates.keySet().stream().sorted().toList()));
    }
    return found;
  }

  /**
   * Fields that are null are left out, since many templates print or count them; reasoning is there
   * under both names that templates read, whatever its name was.
   */
  private static Map<String, Object> normalized(ChatMessage message) {
    Map<String, Object> fields = new LinkedHashMap<>();
    message.fields().forEach((name, value) -> fields.put(name, PlainData.of(value)));
    fields.values().removeIf(java.util.Objects::isNull);
    for (String name : REASONING) {
      if (fields.get(name) != null) {
        Object reasoning = fields.get(name);
        fields.putIfAbsent("thinking", reasoning);
        fields.put("reasoning_content", reasoning);
        break;
      }
    }
    return fields;
  }
}
