package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.view.ColouredText;
import dev.sortie.eetuning.cli.view.GenerationJson;
import dev.sortie.eetuning.cli.view.LineInput;
import dev.sortie.eetuning.cli.view.TerminalKeys;
import dev.sortie.eetuning.cli.view.TerminalStreams;
import dev.sortie.eetuning.cli.view.TypedLines;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.chat.Conversation;
import dev.sortie.eetuning.decode.chat.LivePrompt;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import java.io.PrintStream;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Supplier;

/** The loop of {@code chat}: lines in, answers out, at a terminal or from a file or pipe. */
final class ChatLoop implements AutoCloseable {
  private final Conversation conversation;
  private final Optional<LivePrompt> live;
  private final Optional<TypedLines> typed;
  private final Supplier<Optional<String>> lines;
  private final ColouredText out;
  private final boolean json;
  private final boolean interactive = TerminalStreams.inputIsTerminal();

  /** When the last message was complete, by {@link System#nanoTime}. */
  private long entered;

  private OptionalDouble firstToken = OptionalDouble.empty();

  /**
   * @param layers layers of the model
   * @param json whether an answer is an object on one line
   * @param live whether messages are read while they are typed
   */
  ChatLoop(Conversation conversation, int layers, Exits exits, boolean json, boolean live) {
    this.conversation = conversation;
    this.json = json;
    this.live = live ? Optional.of(conversation.live()) : Optional.empty();
    this.typed = this.live.map(this::typedLines);
    this.lines = typed.isPresent() ? typed.get()::next : new LineInput(System.in)::next;
    this.out = ColouredText.to(System.out, layers);
    if (!json && !exits.exits().isEmpty()) {
      out.legend(exits.depths());
    }
  }

  private TypedLines typedLines(LivePrompt prompt) {
    Optional<PrintStream> terminal = interactive ? Optional.of(prompts()) : Optional.empty();
    return new TypedLines(System.in, terminal, text -> prompt.typed(isCommand(text) ? "" : text));
  }

  private static boolean isCommand(String text) {
    return text.startsWith("/");
  }

  /** Until the input ends, or /exit. */
  void run() {
    while (true) {
      prompt("> ");
      Optional<String> line = lines.get();
      entered = System.nanoTime();
      live.ifPresent(LivePrompt::settle);
      if (line.isEmpty()) {
        prompt(System.lineSeparator());
        return;
      }
      String text = line.get();
      if (text.isBlank()) {
        continue;
      }
      try {
        if (!isCommand(text)) {
          answer(text);
        } else if (!obey(text.strip())) {
          return;
        }
      } catch (InputException e) {
        if (!interactive) {
          throw e;
        }
        System.err.println("sortie: " + e.getMessage());
      }
    }
  }

  /** Whether to continue. */
  private boolean obey(String command) {
    int space = command.indexOf(' ');
    String word = space < 0 ? command : command.substring(0, space);
    String rest = space < 0 ? "" : command.substring(space).strip();
    switch (word) {
      case "/exit" -> {
        return false;
      }
      case "/clear" -> conversation.clear();
      case "/system" -> conversation.begin(rest);
      default ->
          throw new InputException(
              word
                  + " is no command; there are /exit, /clear and /system TEXT; put a blank before a message that begins with /");
    }
    return true;
  }

  /** What a person at a terminal sees, and no result. */
  private void prompt(String text) {
    if (interactive) {
      prompts().print(text);
      prompts().flush();
    }
  }

  private PrintStream prompts() {
    return json ? System.err : System.out;
  }

  private void answer(String user) {
    firstToken = OptionalDouble.empty();
    if (!interactive) {
      show(conversation.say(user, this::token, () -> false));
      return;
    }
    try (TerminalKeys keys = new TerminalKeys(System.in)) {
      show(conversation.say(user, this::token, keys::interrupted));
    }
  }

  private void token(GeneratedToken t) {
    if (firstToken.isEmpty()) {
      firstToken = OptionalDouble.of((System.nanoTime() - entered) * 1e-9);
    }
    if (!json) {
      out.token(t.text(), t.exit());
    }
  }

  private void show(Generation answer) {
    if (json) {
      System.out.println(
          Json.compact(
              GenerationJson.answer(answer, conversation.reused(), firstToken.orElseThrow())));
      System.out.flush();
    } else {
      out.end();
    }
  }

  @Override
  public void close() {
    typed.ifPresent(TypedLines::close);
    live.ifPresent(LivePrompt::close);
  }
}
