package dev.sortie.nn.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** Builds the tree of one document. Recursion is bounded by the depth limit of the parser. */
public final class JsonReader {
  private static final int LONGEST_NUMBER = 64;

  private final String origin;
  private final JsonParser parser;

  private JsonReader(String origin, JsonParser parser) {
    this.origin = origin;
    this.parser = parser;
  }

  static Object read(String origin, char[] text, JsonLimits limits) {
    if (text.length > limits.maxBytes()) {
      throw new InputException(
          "%s: has %d characters of JSON, at most %d are allowed"
              .formatted(origin, text.length, limits.maxBytes()));
    }
    try (JsonParser parser = parser(text, limits.maxDepth(), limits.maxString())) {
      if (parser.nextToken() == null) {
        throw new InputException(origin + ": is empty, expected a JSON document");
      }
      JsonReader reader = new JsonReader(origin, parser);
      Object value = reader.value("");
      if (parser.nextToken() != null) {
        throw new InputException(
            "%s: %s after the end of the document; keep one document in the file"
                .formatted(origin, Printable.value(parser.getText())));
      }
      return value;
    } catch (IOException e) {
      throw failure(origin, e);
    }
  }

  /** A strict parser. Names are not interned: a hostile file could fill the shared tables. */
  public static JsonParser parser(char[] text, int maxDepth, int maxString) throws IOException {
    JsonFactory factory =
        JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(maxDepth)
                    .maxStringLength(maxString)
                    .maxNameLength(maxString)
                    .maxNumberLength(LONGEST_NUMBER)
                    .build())
            .build();
    return factory.createParser(text);
  }

  /** Jackson's complaint as one line with the place. */
  public static InputException failure(String origin, IOException e) {
    String place = "";
    String reason = String.valueOf(e.getMessage());
    if (e instanceof JsonProcessingException json) {
      reason = json.getOriginalMessage();
      JsonLocation at = json.getLocation();
      place = at == null ? "" : "line %d, column %d: ".formatted(at.getLineNr(), at.getColumnNr());
    }
    return new InputException(
        "%s: not strict JSON: %s%s; mend the file".formatted(origin, place, clean(reason)), e);
  }

  private static String clean(String reason) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < Math.min(reason.length(), 200); i++) {
      char c = reason.charAt(i);
      out.append(Character.isISOControl(c) || Character.isSurrogate(c) ? ' ' : c);
    }
    return out.toString();
  }

  private Object value(String path) throws IOException {
    JsonToken token = parser.currentToken();
    return switch (token) {
      case START_OBJECT -> object(path);
      case START_ARRAY -> list(path);
      case VALUE_STRING -> parser.getText();
      case VALUE_NUMBER_INT -> integer();
      case VALUE_NUMBER_FLOAT -> real(path);
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      default -> throw new InputException(origin + ": unexpected " + token + " in JSON");
    };
  }

  private JsonObject object(String path) throws IOException {
    SequencedMap<String, Object> fields = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      fields.put(name, value(path.isEmpty() ? name : path + "." + name));
    }
    return new JsonObject(origin, path, fields);
  }

  private List<Object> list(String path) throws IOException {
    List<Object> items = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      items.add(value(path + "[" + items.size() + "]"));
    }
    return Collections.unmodifiableList(items);
  }

  private Number integer() throws IOException {
    Number number = parser.getNumberValue();
    return number instanceof Integer i ? Long.valueOf(i) : number;
  }

  private Double real(String path) throws IOException {
    double number = parser.getDoubleValue();
    if (Double.isInfinite(number)) {
      throw new InputException(
          "%s: field \"%s\" is %s, beyond the largest double %s"
              .formatted(
                  origin,
                  Printable.line(path),
                  Printable.line(parser.getText()),
                  Double.MAX_VALUE));
    }
    return number;
  }
}
