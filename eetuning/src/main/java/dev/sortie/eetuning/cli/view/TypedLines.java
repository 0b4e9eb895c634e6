package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.display.SafeText;
import dev.sortie.nn.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Lines of UTF-8 as they are typed, key by key. A line is edited at its end, with the keys that
 * terminals have for it: Backspace takes the last character, Ctrl-W the last word, Ctrl-U the line;
 * Ctrl-D ends the input where the line is empty. Other control keys, and keys that send escape
 * sequences, do nothing. A terminal passes keys on at once and unseen while this is open, and they
 * are shown here; from a file or a pipe the same bytes mean the same.
 */
public final class TypedLines implements AutoCloseable {
  private static final int CTRL_D = 4;
  private static final int CTRL_U = 21;
  private static final int CTRL_W = 23;
  private static final int ESCAPE = 27;
  private static final int DELETE = 127;
  private static final int FIRST_EMOJI = 0x1f300;
  private static final int LAST_EMOJI = 0x1faff;

  private final InputStream in;
  private final Optional<PrintStream> terminal;
  private final Consumer<String> typed;
  private final Optional<TerminalMode> mode;
  private final LineBytes line = new LineBytes();

  /**
   * @param terminal where keys are shown, if {@code in} is a terminal
   * @param typed gets the line so far whenever no further key is there
   */
  public TypedLines(InputStream in, Optional<PrintStream> terminal, Consumer<String> typed) {
    this.in = in;
    this.terminal = terminal;
    this.typed = typed;
    this.mode = terminal.map(_ -> new TerminalMode("-icanon", "-echo"));
  }

  /** The next line without its end; empty at the end of the input. */
  public Optional<String> next() {
    line.begin();
    try {
      while (true) {
        if (in.available() == 0) {
          typed.accept(line.soFar());
        }
        int key = in.read();
        if (key == '\n') {
          show(System.lineSeparator());
          return Optional.of(line.text());
        }
        boolean ends = key < 0 || key == CTRL_D && line.isEmpty();
        if (ends) {
          return line.isEmpty() ? Optional.empty() : Optional.of(line.text());
        }
        press(key);
      }
    } catch (IOException e) {
      throw new InputException("standard input cannot be read: " + e.getMessage(), e);
    }
  }

  private void press(int key) throws IOException {
    switch (key) {
      case '\b', DELETE -> erase(line.withoutCharacter());
      case CTRL_W -> erase(line.withoutWord());
      case CTRL_U -> erase(0);
      case ESCAPE -> skipSequence();
      default -> {
        if ((key == '\t' || key >= ' ') && line.add(key)) {
          show(shown(line.character()));
        }
      }
    }
  }

  /** Of {@code ESC [ parameters letter}, {@code ESC O letter} and {@code ESC letter} all. */
  private void skipSequence() throws IOException {
    int kind = in.read();
    int next = kind == '[' || kind == 'O' ? in.read() : kind;
    while (kind == '[' && next >= 0 && (next < '@' || next > '~')) {
      next = in.read();
    }
  }

  private void erase(int length) {
    int columns = shown(line.cut(length)).codePoints().map(TypedLines::columns).sum();
    show("\b \b".repeat(columns));
  }

  private static String shown(String text) {
    return SafeText.visible(text).replace('\t', ' ');
  }

  /** As terminals draw it: ideographs, kana, hangul and most emoji are wide, marks take no room. */
  private static int columns(int codePoint) {
    int type = Character.getType(codePoint);
    if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
      return 0;
    }
    boolean wide =
        switch (Character.UnicodeScript.of(codePoint)) {
          case HAN, HIRAGANA, KATAKANA, HANGUL, BOPOMOFO -> true;
          default -> codePoint >= FIRST_EMOJI && codePoint <= LAST_EMOJI;
        };
    return wide ? 2 : 1;
  }

  private void show(String text) {
    terminal.ifPresent(
        out -> {
          out.print(text);
          out.flush();
        });
  }

  @Override
  public void close() {
    mode.ifPresent(TerminalMode::close);
  }
}
