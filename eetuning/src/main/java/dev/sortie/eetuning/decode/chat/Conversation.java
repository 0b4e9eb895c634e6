package dev.sortie.eetuning.decode.chat;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.single.PrefixReuse;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * The turns so far, and the model that answers them. Each turn is rendered anew; the KV cache
 * serves for as long as the ids are those of the turn before. Close it to free that.
 */
public final class Conversation implements AutoCloseable {
  private final LanguageModel model;
  private final ChatTemplate template;
  private final ChatOptions chat;
  private final GenerateOptions options;
  private final PrefixReuse strategy;
  private final Generator generator;
  private final List<ChatMessage> messages = new ArrayList<>();
  private String system = "";

  /**
   * A conversation that has not begun.
   *
   * @param options of each answer
   * @param strategy that nothing was read with; closed with this
   */
  public Conversation(
      LanguageModel model,
      ChatTemplate template,
      ChatOptions chat,
      GenerateOptions options,
      PrefixReuse strategy) {
    this.model = model;
    this.template = template;
    this.chat = chat;
    this.options = options;
    this.strategy = strategy;
    this.generator =
        new Generator(
            strategy,
            model.tokenizer(),
            Prompt.endsOfAnswer(model),
            model.config().decoder().vocab());
  }

  /** Begins anew with the same system message. */
  public void clear() {
    begin(system);
  }

  /** Begins anew; an empty {@code newSystem} means no system message. */
  public void begin(String newSystem) {
    system = newSystem;
    messages.clear();
    if (!system.isEmpty()) {
      messages.add(ChatMessage.of("system", system));
    }
  }

  /** Tokens of the last prompt that were not read again. */
  public int reused() {
    return strategy.reused();
  }

  /**
   * The prompt of the next answer, which is read while the user's message is typed. It is used by
   * the caller's thread, settled before {@link #say} and the methods that begin anew, and closed
   * before this.
   */
  public LivePrompt live() {
    return new LivePrompt(strategy, this::encode);
  }

  /** The prompt if the user says this. */
  private int[] encode(String user) {
    List<ChatMessage> all = new ArrayList<>(messages);
    all.add(ChatMessage.of("user", user));
    return template.encode(all, chat, model.tokenizer());
  }

  /**
   * Answers. If that fails, the conversation is as before.
   *
   * @param cancelled asked after each token; what was said until then stays part of the
   *     conversation
   * @throws InputException if the template refuses the conversation, or there is no room for it
   */
  public Generation say(String user, Consumer<GeneratedToken> listener, BooleanSupplier cancelled) {
    int[] ids = encode(user);
    int room = strategy.capacity() - ids.length;
    if (room < 1) {
      int longest = model.config().decoder().context();
      throw new InputException(
          "the conversation has %d tokens, there is room for %d; begin a new one with /clear%s"
              .formatted(
                  ids.length,
                  strategy.capacity(),
                  strategy.capacity() < longest
                      ? ", or give a larger --context, at most " + longest
                      : ": it is as long as the model allows"));
    }
    GenerateOptions fitting = options.atMost(Math.min(room, options.maxTokens()));
    Generation answer = generator.run(ids, fitting, listener, cancelled);
    messages.add(ChatMessage.of("user", user));
    messages.add(ChatMessage.of("assistant", answer.text()));
    return answer;
  }

  @Override
  public void close() {
    strategy.close();
  }
}
