package dev.sortie.nn.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.util.Map;

/** Writes plain values as JSON; the same value gives the same text on every platform. */
final class JsonPrinter {
  private static final JsonFactory FACTORY = JsonFactory.builder().build();

  /** All on one line. */
  static final DefaultPrettyPrinter LINE = null;

  /** Fields on lines of their own. */
  static final DefaultPrettyPrinter INDENTED = indented(Separators.Spacing.AFTER);

  /** The same with a space before each colon too. */
  static final DefaultPrettyPrinter SPACED = indented(Separators.Spacing.BOTH);

  private JsonPrinter() {}

  /** The default indenter takes the platform's line end, which would change the bytes. */
  private static DefaultPrettyPrinter indented(Separators.Spacing colon) {
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter(
            Separators.createDefaultInstance().withObjectFieldValueSpacing(colon));
    printer.indentObjectsWith(new DefaultIndenter("  ", "\n"));
    return printer;
  }

  /** {@code layout} is one of those above. */
  static String print(Object value, DefaultPrettyPrinter layout) {
    StringWriter text = new StringWriter();
    try (JsonGenerator out = FACTORY.createGenerator(text)) {
      if (layout != null) {
        out.setPrettyPrinter(layout.createInstance());
      }
      write(out, value);
    } catch (IOException e) {
      throw new UncheckedIOException("JSON to memory failed", e);
    }
    return text.toString();
  }

  private static void write(JsonGenerator out, Object value) throws IOException {
    switch (value) {
      case null -> out.writeNull();
      case String s -> out.writeString(s);
      case Boolean b -> out.writeBoolean(b);
      case Integer i -> out.writeNumber(i);
      case Long l -> out.writeNumber(l);
      case BigInteger i -> out.writeNumber(i);
      case Float f -> writeDouble(out, Double.parseDouble(f.toString()));
      case Double d -> writeDouble(out, d);
      case JsonObject o -> write(out, o.fields());
      case Map<?, ?> map -> {
        out.writeStartObject();
        for (var entry : map.entrySet()) {
          out.writeFieldName((String) entry.getKey());
          write(out, entry.getValue());
        }
        out.writeEndObject();
      }
      case Iterable<?> items -> {
        out.writeStartArray();
        for (Object item : items) {
          write(out, item);
        }
        out.writeEndArray();
      }
      default ->
          throw new IllegalArgumentException("no JSON form for " + value.getClass().getName());
    }
  }

  private static void writeDouble(JsonGenerator out, double value) throws IOException {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException("JSON has no form for " + value);
    }
    out.writeNumber(value);
  }
}
