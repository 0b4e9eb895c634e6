package dev.sortie.nn.text.format;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.json.JsonValue;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads JSON that may be hostile: bounded size, depth, strings and values, no key twice. */
public final class JsonFiles {
  static final long MAX_BYTES = 256L << 20;
  private static final int MAX_STRING = 1 << 21;
  private static final int MAX_DEPTH = 64;
  private static final int MAX_VALUES = 1 << 21;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(StreamReadFeature.AUTO_CLOSE_SOURCE)
          // The names of a vocabulary come once each: a table of names seen only costs time.
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxDocumentLength(MAX_BYTES)
                  .maxNestingDepth(MAX_DEPTH)
                  .maxStringLength(MAX_STRING)
                  .maxNameLength(MAX_STRING)
                  .build())
          .build();

  /** What is done with an open parser. */
  public interface Reading<T> {
    T read(JsonParser parser) throws IOException;
  }

  private JsonFiles() {}

  /** Reads a file; every failure is one line that names it. */
  public static <T> T read(Path file, Reading<T> reading) {
    try (InputStream in = Files.newInputStream(file)) {
      long size = Files.size(file);
      if (size > MAX_BYTES) {
        throw new InputException(
            file + ": " + size + " bytes, more than the limit of " + MAX_BYTES + " for JSON");
      }
      return read(in, file.toString(), reading);
    } catch (NoSuchFileException e) {
      throw new InputException(file + ": no such file", e);
    } catch (IOException e) {
      throw new InputException(file + ": cannot be read: " + oneLine(e.toString()), e);
    }
  }

  /** Reads a stream to its end; {@code name} stands for the file in messages. */
  public static <T> T read(InputStream in, String name, Reading<T> reading) {
    try (JsonParser parser = FACTORY.createParser(in)) {
      parser.nextToken();
      T result = reading.read(parser);
      if (parser.nextToken() != null) {
        throw new InputException(name + ": more text after the end of the JSON value");
      }
      return result;
    } catch (JsonProcessingException e) {
      String place =
          e.getLocation() == null
              ? ""
              : " at line %d, column %d"
                  .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
      throw new InputException(
          name + ": not JSON that can be read" + place + ": " + oneLine(e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new InputException(name + ": cannot be read: " + oneLine(e.toString()), e);
    }
  }

  /** The value at the parser as a tree, as large as small configuration files are. */
  public static JsonValue value(JsonParser parser, String file, String path) throws IOException {
    return new JsonValue(file, path, tree(parser, file, new int[1]));
  }

  private static Object tree(JsonParser parser, String file, int[] count) throws IOException {
    if (++count[0] > MAX_VALUES) {
      throw new InputException(file + ": more than " + MAX_VALUES + " JSON values");
    }
    JsonToken token = parser.currentToken();
    if (token == null) {
      throw new InputException(file + ": ends before its JSON value does");
    }
    return switch (token) {
      case START_OBJECT -> {
        Map<String, Object> map = new LinkedHashMap<>();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String key = parser.currentName();
          parser.nextToken();
          map.put(key, tree(parser, file, count));
        }
        yield map;
      }
      case START_ARRAY -> {
        List<Object> list = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          list.add(tree(parser, file, count));
        }
        yield list;
      }
      case VALUE_STRING -> parser.getText();
      case VALUE_NUMBER_INT -> parser.getBigIntegerValue();
      case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
      case VALUE_TRUE -> Boolean.TRUE;
      case VALUE_FALSE -> Boolean.FALSE;
      case VALUE_NULL -> JsonValue.NULL;
      default -> throw new InputException(file + ": unexpected " + token + " in JSON");
    };
  }

  private static String oneLine(String text) {
    return Printable.line(text.replaceAll("\\s+", " "), 300);
  }
}
