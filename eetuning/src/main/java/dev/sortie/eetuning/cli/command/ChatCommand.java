package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.eetuning.cli.option.DecodedModelMixin;
import dev.sortie.eetuning.cli.option.DecodingMixin;
import dev.sortie.eetuning.cli.option.DecodingMixin.Decoding;
import dev.sortie.eetuning.cli.option.GrammarMixin;
import dev.sortie.eetuning.cli.option.TemplateMixin;
import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.chat.Conversation;
import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.eetuning.decode.grammar.Grammar;
import dev.sortie.eetuning.decode.single.PrefixReuse;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A conversation. */
@Command(
    name = "chat",
    mixinStandardHelpOptions = true,
    description = {
      "Chats with a model, using its chat template. Each line of standard "
          + "input is a message; answers are streamed.",
      "Commands: /clear starts a new conversation, /system TEXT starts one "
          + "with that system message (or without one if TEXT is empty), /exit "
          + "quits. Ctrl-C stops an answer; at the prompt it quits."
    })
public final class ChatCommand implements Callable<Integer>, ReadOnce.StandardInputUser {
  @Mixin private ComputeMixin compute;
  @Mixin private DecodedModelMixin model;

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "Initial system message. Default: none.")
  private String system;

  @Mixin private TemplateMixin template;
  @Mixin private DecodingMixin decoding;
  @Mixin private GrammarMixin form;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "512",
      description = "Maximum number of tokens per answer. Default: ${DEFAULT-VALUE}.")
  private int maxTokens;

  @Option(
      names = "--context",
      paramLabel = "N",
      defaultValue = "4096",
      description =
          "Number of tokens reserved for the conversation, up to the model's "
              + "context length. Default: ${DEFAULT-VALUE}.")
  private int context;

  @Option(
      names = "--live",
      description = {
        "Read a message while it is typed, so that the answer begins sooner. Keys are read as they "
            + "come: Backspace, Ctrl-W and Ctrl-U delete. Answers are those to the whole messages."
      })
  private boolean live;

  @Option(names = "--json", description = "Print one JSON object per answer to standard output.")
  private boolean json;

  @Override
  public String standardInput() {
    return "the conversation";
  }

  @Override
  public Integer call() {
    if (context < 2) {
      throw new UsageException("--context " + context + " must be at least 2");
    }
    Decoding d = decoding.decoding(maxTokens);
    Optional<Grammar> grammar = form.read(d.options());
    ChatOptions options = template.options();
    ChatTemplate t = template.template(model.path());
    try (Device opened = compute.open();
        LanguageModel m = model.load(opened);
        NativeArena arena = new NativeArena("exits")) {
      Device device = m.device();
      int capacity = Math.min(context, m.config().decoder().context());
      Exits exits = decoding.exits(d, m, arena, device);
      GenerateOptions answers = GrammarMixin.apply(d.options(), grammar, m, Prompt.endsOfAnswer(m));
      DecodingStrategy strategy = decoding.strategy(d, m, exits, capacity, device);
      PrefixReuse cache =
          live ? PrefixReuse.exact(strategy, capacity) : new PrefixReuse(strategy, capacity);
      try (Conversation conversation = new Conversation(m, t, options, answers, cache)) {
        conversation.begin(system == null ? "" : system);
        try (ChatLoop loop =
            new ChatLoop(conversation, m.config().decoder().layers(), exits, json, live)) {
          loop.run();
        }
      }
    }
    return 0;
  }
}
