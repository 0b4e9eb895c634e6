package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.display.SafeText;
import java.io.PrintStream;
import java.util.List;
import java.util.OptionalInt;

/**
 * Generated text as it comes, each token in the colour of the exit that decided it; what the final
 * layer decided has the terminal's own colour. Text is untrusted: no control character of it but
 * line feeds and tabs reaches the stream.
 */
public final class ColouredText {
  /**
   * Of xterm's 256 colours, from yellow (shallow) over green and blue to violet (deep): middling in
   * lightness, so that each can be read on a black and on a white ground.
   */
  private static final int[] RAMP = {172, 142, 71, 37, 68, 62, 97};

  private static final String RESET = "\u001b[0m";
  private static final String UNDERLINE = "\u001b[4m";

  private final PrintStream out;
  private final int layers;
  private final boolean colour;

  /**
   * @param layers layers of the model: depth in relation to them gives the colour
   * @param colour whether to colour
   */
  ColouredText(PrintStream out, int layers, boolean colour) {
    this.out = out;
    this.layers = layers;
    this.colour = colour;
  }

  /** Text for standard output: coloured on a terminal, unless NO_COLOR is set or TERM is dumb. */
  public static ColouredText to(PrintStream out, int layers) {
    boolean colour = TerminalStreams.outputIsTerminal() && TerminalStreams.coloursWanted();
    return new ColouredText(out, layers, colour);
  }

  /**
   * A line that shows the colours of these exits; nothing without colours, where it says nothing.
   */
  public void legend(List<Integer> depths) {
    if (!colour) {
      return;
    }
    StringBuilder line = new StringBuilder("decided after layer:");
    for (int depth : depths.stream().sorted().distinct().toList()) {
      String name = depth == layers ? layers + " (frequent tokens)" : Integer.toString(depth);
      line.append("  ").append(painted(name, OptionalInt.of(depth)));
    }
    out.println(line.append("  ").append(layers).append(" (final)"));
  }

  /** Text that no exit decided, such as the prompt. */
  public void plain(String text) {
    token(text, OptionalInt.empty());
  }

  /**
   * Shows one token at once.
   *
   * @param exit depth of its exit, 1 to layers; empty for the final layer
   */
  public void token(String text, OptionalInt exit) {
    out.print(painted(SafeText.visible(text), exit));
    out.flush();
  }

  /**
   * Shows one token that was decided without the one who should have: underlined.
   *
   * @param exit as above
   */
  public void marked(String text, OptionalInt exit) {
    String shown = painted(SafeText.visible(text), exit);
    out.print(colour && !text.isEmpty() ? UNDERLINE + shown + RESET : shown);
    out.flush();
  }

  /** Ends the text's last line. */
  public void end() {
    out.println();
    out.flush();
  }

  private String painted(String text, OptionalInt exit) {
    if (exit.isEmpty()) {
      return text;
    }
    int depth = exit.getAsInt();
    if (depth < 1 || depth > layers) {
      throw new IllegalArgumentException("exit depth is " + depth + ", expected 1 to " + layers);
    }
    if (!colour || text.isEmpty()) {
      return text;
    }
    // after the last layer the colour is that before it
    int index = (Math.min(depth, layers - 1) - 1) * RAMP.length / (layers - 1);
    return "\u001b[38;5;" + RAMP[index] + "m" + text + RESET;
  }
}
