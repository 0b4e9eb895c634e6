package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.view.ColouredText;
import dev.sortie.eetuning.cli.view.GenerationJson;
import dev.sortie.eetuning.cli.view.LineInput;
import dev.sortie.eetuning.cli.view.TerminalKeys;
import dev.sortie.eetuning.cli.view.TerminalStreams;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.chat.Conversation;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import java.io.PrintStream;
import java.util.Optional;

/** Lines in, answers out: with a person at a terminal, or from a file or pipe. */
final class ChatLoop {
  private final Conversation conversation;
  private final LineInput lines = new LineInput(System.in);
  private final ColouredText out;
  private final boolean json;
  private final boolean interactive = TerminalStreams.inputIsTerminal();

  /**
   * @param layers layers of the model
   * @param json whether an answer is an object on one line
   */
  ChatLoop(Conversation conversation, int layers, Exits exits, boolean json) {
    this.conversation = conversation;
    this.json = json;
    this.out = ColouredText.to(System.out, layers);
    if (!json && !exits.exits().isEmpty()) {
      out.legend(exits.depths());
    }
  }

  /** Until the input ends, or /exit. */
  void run() {
    while (true) {
      prompt("> ");
      Optional<String> line = lines.next();
      if (line.isEmpty()) {
        prompt(System.lineSeparator());
        return;
      }
      String text = line.get();
      if (text.isBlank()) {
        continue;
      }
      try {
        if (!text.startsWith("/")) {
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
      PrintStream shown = json ? System.err : System.out;
      shown.print(text);
      shown.flush();
    }
  }

  private void answer(String user) {
    if (!interactive) {
      show(conversation.say(user, this::token, () -> false));
      return;
    }
    try (TerminalKeys keys = new TerminalKeys(System.in)) {
      show(conversation.say(user, this::token, keys::interrupted));
    }
  }

  private void token(GeneratedToken t) {
    if (!json) {
      out.token(t.text(), t.exit());
    }
  }

  private void show(Generation answer) {
    if (json) {
      System.out.println(Json.compact(GenerationJson.answer(answer, conversation.reused())));
      System.out.flush();
    } else {
      out.end();
    }
  }
}
