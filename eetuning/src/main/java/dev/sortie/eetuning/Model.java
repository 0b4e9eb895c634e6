package dev.sortie.eetuning;

import dev.sortie.eetuning.calibrate.Calibrated;
import dev.sortie.eetuning.calibrate.ThresholdsFile;
import dev.sortie.eetuning.cost.ActiveExits;
import dev.sortie.eetuning.cost.CostCache;
import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.PromptIds;
import dev.sortie.eetuning.decode.batch.BatchDecoder;
import dev.sortie.eetuning.decode.batch.BatchSequence;
import dev.sortie.eetuning.decode.batch.PromptEmbedding;
import dev.sortie.eetuning.decode.chat.Conversation;
import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.eetuning.decode.grammar.Grammar;
import dev.sortie.eetuning.decode.grammar.TokenGrammar;
import dev.sortie.eetuning.decode.grammar.TokenVocabulary;
import dev.sortie.eetuning.decode.grammar.schema.JsonSchema;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.single.PrefixReuse;
import dev.sortie.eetuning.eval.TextScorer;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.eetuning.exit.FinalDraft;
import dev.sortie.eetuning.host.ModelName;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * A loaded model. It is thread-safe: threads take turns, token by token, since each token uses all
 * cores. To generate many texts at once, use {@link dev.sortie.eetuning.decode.batch.Scheduler},
 * which reads weights once for all of them.
 *
 * <p>Close it when no more texts are generated. This frees its memory and that of the exits that it
 * has read. Later use throws an exception.
 */
public final class Model implements AutoCloseable {
  /** Default capacity of a conversation, in tokens. */
  private static final int CONVERSATION = 4096;

  private final LanguageModel model;

  /** Computes in exact arithmetic, and owns the threads. */
  private final Device device;

  private final NativeArena arena = new NativeArena("exits");
  private final ReentrantLock turn = new ReentrantLock(true);

  private final Optional<Path> templateFile;

  /** Read when it is asked for: most texts need none. */
  private ChatTemplate template;

  /** Read out of the tokenizer when it is asked for: most texts have no form. */
  private TokenVocabulary vocabulary;

  /**
   * A model.
   *
   * @param device closed with it
   * @param templateFile used instead of its own chat template
   */
  Model(LanguageModel model, Device device, Optional<Path> templateFile) {
    this.model = model;
    this.device = device;
    this.templateFile = templateFile;
  }

  /**
   * Returns a text that continues a prompt. Nothing is computed before {@link TextRun#forEach}.
   *
   * @param prompt special tokens spelled in it stay text; empty to begin a new text
   * @throws InputException if prompt and answer do not fit in the model's context
   */
  public TextRun generate(String prompt, TextOptions options) {
    return run(Prompt.encode(model, prompt, EncodeOptions.DEFAULT), model.config().eos(), options);
  }

  /**
   * Returns the answer to a conversation, rendered by the model's chat template.
   *
   * @param conversation at least one message
   * @throws InputException if the model has no chat template, the template refuses the
   *     conversation, or that and the answer do not fit in the model's context
   */
  public TextRun answer(List<ChatMessage> conversation, TextOptions options) {
    return answer(prompt(conversation, ChatOptions.DEFAULT), options);
  }

  /**
   * The answer to a conversation that is written down.
   *
   * @param prompt as {@link #prompt} gives it
   * @throws InputException if that and the answer do not fit in the model's context, or an id is no
   *     token
   */
  public TextRun answer(int[] prompt, TextOptions options) {
    PromptIds.check(prompt, model.config().decoder().vocab());
    return run(prompt, Prompt.endsOfAnswer(model), options);
  }

  /**
   * A conversation as the model's chat template writes it down, up to where the answer begins.
   *
   * @param conversation at least one message
   * @param chat functions that the model may call, and variables of the template
   * @return ids of its tokens
   * @throws InputException if the model has no chat template, or that refuses the conversation
   */
  public int[] prompt(List<ChatMessage> conversation, ChatOptions chat) {
    return Prompt.orBos(model, chatTemplate().encode(conversation, chat, model.tokenizer()));
  }

  /**
   * A form that answers can be held to: {@code options.rule(model.answerGrammar(grammar))}. What is
   * found out about it for one answer serves the next, so keep it where there are several.
   *
   * @throws InputException if the grammar is too large, or the model names no token that ends a
   *     text
   */
  public TokenGrammar answerGrammar(Grammar grammar) {
    return new TokenGrammar(grammar, inTurn(this::vocabulary));
  }

  /**
   * The form of JSON documents: {@code options.rule(model.answerSchema(schema))}. Keep it, as that
   * of a grammar, where there are several answers.
   *
   * @param schema JSON Schema, an object
   * @throws InputException if it is no strict JSON, naming keyword and place of what is not
   *     supported, or if it allows nothing
   */
  public TokenGrammar answerSchema(String schema) {
    return answerGrammar(
        JsonSchema.grammar("schema", Json.parse("schema", schema, JsonLimits.CONFIG)));
  }

  private TokenVocabulary vocabulary() {
    if (vocabulary == null) {
      vocabulary =
          new TokenVocabulary(
              model.tokenizer(), model.config().decoder().vocab(), Prompt.endsOfAnswer(model));
    }
    return vocabulary;
  }

  private TextRun run(int[] ids, List<Integer> ends, TextOptions options) {
    int capacity = Prompt.capacity(model, ids, options.text().maxTokens());
    return new TextRun(model, ids, ends, options.text(), () -> begin(options.strategy(), capacity));
  }

  private DecodingStrategy begin(Strategy strategy, int capacity) {
    return inTurn(
        () -> new TurnTaking(strategy.begin(model.decoder(), capacity, model.device()), this));
  }

  /**
   * Starts a conversation in which each turn reads only new tokens. Close it to free its KV cache.
   *
   * @param system the system message; empty for none
   * @param options of each answer; an answer also ends when the conversation is full
   * @throws InputException if the model has no chat template
   */
  public Conversation chat(String system, TextOptions options) {
    int capacity = Math.min(CONVERSATION, model.config().decoder().context());
    Conversation conversation =
        new Conversation(
            model,
            chatTemplate(),
            ChatOptions.DEFAULT,
            options.text(),
            new PrefixReuse(begin(options.strategy(), capacity), capacity));
    conversation.begin(system);
    return conversation;
  }

  /**
   * How the model wants conversations written down.
   *
   * @throws InputException if it has no chat template
   */
  public ChatTemplate chatTemplate() {
    return inTurn(
        () -> {
          if (template == null) {
            template =
                templateFile
                    .map(file -> ChatTemplate.ofFile(file, model.path()))
                    .orElseGet(() -> ChatTemplate.required(model.path()));
          }
          return template;
        });
  }

  /**
   * Returns the embedding of a text: see {@link PromptEmbedding}.
   *
   * @return {@code [C]}, of Euclidean length 1
   * @throws InputException if the text has no tokens or does not fit in the model's context
   */
  public float[] embed(String text) {
    int[] ids = Prompt.encode(model, text, EncodeOptions.DEFAULT);
    if (ids.length == 0) {
      throw new InputException("a text without tokens has no embedding");
    }
    return inTurn(
        () -> {
          PromptEmbedding embedding = new PromptEmbedding(model.decoder());
          try (BatchDecoder decoder = new BatchDecoder(model.decoder(), model.device());
              BatchSequence sequence = decoder.open(ids.length)) {
            decoder.prefill(sequence, ids, Optional.of(embedding));
          }
          return embedding.vector();
        });
  }

  /**
   * Scores a text with the final layer: see {@link TextScorer}.
   *
   * @throws InputException if the text has fewer than two tokens
   */
  public TextScorer.Result score(String text) {
    return score(text, Exits.none());
  }

  /**
   * Scores a text with the final layer and each of these exits.
   *
   * @throws InputException if the text has fewer than two tokens, or the exits are of another model
   */
  public TextScorer.Result score(String text, Exits exits) {
    exits.requireOf(model.decoder());
    return inTurn(
        () -> new TextScorer(model, exits, model.device()).score(text, TextScorer.Progress.NONE));
  }

  /**
   * Reads exits of this model. Their memory is freed with the model.
   *
   * @param folder with {@code exits.safetensors} and {@code exits.json}
   * @throws InputException if a file is missing or wrong, or belongs to another model
   */
  public Exits exits(Path folder) {
    return inTurn(() -> ExitsReader.of(model).read(folder, arena, model.device().kernels()));
  }

  /**
   * Returns the exits that can make decoding faster than full depth, by the cost of layers and
   * exits on this machine; the final layer's draft head is judged like an exit, if they have one.
   * {@link Strategy#earlyExit(Exits, dev.sortie.eetuning.decode.policy.ExitPolicy)} evaluates these
   * and no others. The cost is measured at the first call for a model, which takes some seconds,
   * and kept in the user's cache folder.
   */
  public ActiveExits exitsThatPay(Exits exits) {
    Exits all = FinalDraft.add(exits);
    return inTurn(
        () -> {
          CostCache costs = new CostCache();
          return ActiveExits.thatPay(
              all,
              costs
                  .known(model.decoder(), all, model.device())
                  .orElseGet(() -> costs.measure(model.decoder(), all, model.device())),
              EarlyExit.MAX_PENDING);
        });
  }

  /**
   * Returns early exit by thresholds of the command {@code calibrate}.
   *
   * @param folder of the exits
   * @param thresholds the file
   * @throws InputException if they were calibrated for other exits, another type of matrices or
   *     another arithmetic
   */
  public Strategy calibrated(Path folder, Path thresholds) {
    Calibrated read = ThresholdsFile.read(thresholds);
    ExitThresholds policy = new ExitThresholds(read.thresholds());
    ExitsReader reader = ExitsReader.of(model).asked(policy.asked());
    Exits asked = inTurn(() -> reader.read(folder, arena, model.device().kernels()));
    ThresholdsFile.check(thresholds, read, folder, model);
    return Strategy.earlyExit(asked, policy);
  }

  /** Returns a tuner of exits for this model. */
  public Tuner tuner(TunerOptions options) {
    return new Tuner(this, options);
  }

  /** Returns the name of its folder or file without {@code .gguf}, or {@code fable}. */
  public String name() {
    return ModelName.of(model.path());
  }

  /** Returns its tokenizer. */
  public Tokenizer tokenizer() {
    return model.tokenizer();
  }

  /**
   * Returns its configuration, weights and network, as the packages below use them. What computes
   * with these must have ended before this model is closed: {@link #close} waits for calls of this
   * class alone, and kernels do not notice that their memory is freed.
   */
  public LanguageModel languageModel() {
    return model;
  }

  /** Where it computes in exact arithmetic, as training does. */
  Device device() {
    return device;
  }

  /** Runs a computation exclusively. */
  <T> T inTurn(Supplier<T> work) {
    turn.lock();
    try {
      return work.get();
    } finally {
      turn.unlock();
    }
  }

  @Override
  public void close() {
    inTurn(
        () -> {
          arena.close();
          model.close();
          device.close();
          return null;
        });
  }
}
