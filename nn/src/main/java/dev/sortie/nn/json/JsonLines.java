package dev.sortie.nn.json;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.file.TextFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Files with a JSON object per line (JSONL). Errors name the file, the line and the field. */
public final class JsonLines {
  private JsonLines() {}

  /** Whether a file says by its name that its lines are objects. */
  public static boolean isNamed(Path file) {
    return file.toString().endsWith(".jsonl");
  }

  /**
   * Whether lines of what a user names are objects: a file says so by its name, a pipe, which has
   * none, by a brace at its beginning.
   *
   * @param beginning what comes first
   */
  public static boolean isIn(Path named, String beginning) {
    return NamedInput.isRegular(named) ? isNamed(named) : beginning.stripLeading().startsWith("{");
  }

  /** The objects of all lines of a file that are not blank, at least one. */
  public static List<JsonObject> read(Path file) {
    return parse(NamedInput.name(file), TextFiles.read(file, TextFiles.CORPUS));
  }

  /** The objects of all lines of a text, as {@link #read}; {@code origin} names it in messages. */
  public static List<JsonObject> parse(String origin, String text) {
    List<JsonObject> objects = new ArrayList<>();
    Parts parts = new Parts(origin, JsonLimits.CONFIG, Integer.MAX_VALUE, objects::add);
    parts.add(text);
    parts.end();
    return objects;
  }

  /**
   * Reads a file of any length; one line is in memory.
   *
   * @param longest characters of a line
   * @param taker of the objects, one after another
   */
  public static void read(Path file, JsonLimits limits, int longest, Consumer<JsonObject> taker) {
    Parts parts = new Parts(NamedInput.name(file), limits, longest, taker);
    TextFiles.parts(file, parts::add);
    parts.end();
  }

  /** Adds a line at the end of a file, which is made if it is absent. */
  public static void append(Path file, Map<String, ?> object) throws IOException {
    Files.writeString(
        file,
        Json.compact(object) + "\n",
        StandardCharsets.UTF_8,
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  /** Cuts a text that comes in parts into lines. */
  private static final class Parts {
    private final String origin;
    private final JsonLimits limits;
    private final int longest;
    private final Consumer<JsonObject> taker;
    private final StringBuilder line = new StringBuilder();
    private int number = 1;
    private boolean any;

    Parts(String origin, JsonLimits limits, int longest, Consumer<JsonObject> taker) {
      this.origin = origin;
      this.limits = limits;
      this.longest = longest;
      this.taker = taker;
    }

    void add(String part) {
      int from = 0;
      for (int at; (at = part.indexOf('\n', from)) >= 0; from = at + 1) {
        line.append(part, from, at);
        take();
        number++;
      }
      line.append(part, from, part.length());
      if (line.length() > longest) {
        throw new InputException(
            "%s line %d: is longer than %,d characters; expected a JSON object per line"
                .formatted(origin, number, longest));
      }
    }

    private void take() {
      String text = line.toString().strip();
      line.setLength(0);
      if (!text.isEmpty()) {
        taker.accept(Json.parse(origin + " line " + number, text, limits));
        any = true;
      }
    }

    void end() {
      take();
      if (!any) {
        throw new InputException(
            origin + ": has blank lines only, expected a JSON object per line");
      }
    }
  }
}
