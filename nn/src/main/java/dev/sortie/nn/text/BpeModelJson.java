package dev.sortie.nn.text;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.sortie.nn.InputException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** The field {@code model} of {@code tokenizer.json}, read as a stream for its large tables. */
final class BpeModelJson {
  /** Real vocabularies have few unused ids; more would let a small file take much memory. */
  private static final int HOLES = 1 << 12;

  private final String file;
  private final Map<String, Object> settings = new LinkedHashMap<>();
  private final List<String> left = new ArrayList<>();
  private final List<String> right = new ArrayList<>();
  private Vocabulary vocabulary;

  private BpeModelJson(String file) {
    this.file = file;
  }

  static BpeModelJson read(JsonParser parser, String file) throws IOException {
    BpeModelJson model = new BpeModelJson(file);
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw JsonFiles.value(parser, file, "model").refuse("an object");
    }
    boolean otherVocabulary = false;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      JsonToken token = parser.nextToken();
      if (key.equals("vocab") && token == JsonToken.START_OBJECT) {
        model.readVocabulary(parser);
      } else if (key.equals("vocab")) {
        otherVocabulary = true;
        parser.skipChildren();
      } else if (key.equals("merges") && token == JsonToken.START_ARRAY) {
        model.readMerges(parser);
      } else {
        model.settings.put(key, JsonFiles.value(parser, file, "model." + key).value());
      }
    }
    JsonValue type = model.setting("type");
    if (!(type.isNull() || "BPE".equals(type.value()))) {
      throw type.refuse("BPE");
    }
    if (model.vocabulary == null) {
      throw new InputException(
          file
              + ": model.vocab is "
              + (otherVocabulary ? "no object" : "absent")
              + "; BPE needs an object of tokens and ids");
    }
    return model;
  }

  Vocabulary vocabulary() {
    return vocabulary;
  }

  MergeTable merges() {
    return new MergeTable(file, vocabulary, left, right);
  }

  BpeOptions options(boolean byteLevel) {
    new JsonValue(file, "model", settings)
        .only(
            "type",
            "dropout",
            "unk_token",
            "continuing_subword_prefix",
            "end_of_word_suffix",
            "fuse_unk",
            "byte_fallback",
            "ignore_merges");
    for (String affix : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
      if (!setting(affix).isNull() && !setting(affix).string().isEmpty()) {
        throw setting(affix).refuse("null or \"\"");
      }
    }
    JsonValue dropout = setting("dropout");
    if (!dropout.isNull() && !(dropout.value() instanceof Number n && n.doubleValue() == 0)) {
      throw dropout.refuse("null or 0");
    }
    return new BpeOptions(
        byteLevel,
        setting("byte_fallback").bool(false),
        setting("fuse_unk").bool(false),
        setting("ignore_merges").bool(false),
        unknown());
  }

  private OptionalInt unknown() {
    JsonValue unknown = setting("unk_token");
    if (unknown.isNull()) {
      return OptionalInt.empty();
    }
    int id = vocabulary.id(unknown.string());
    if (id < 0) {
      throw unknown.refuse("null or a token of model.vocab");
    }
    return OptionalInt.of(id);
  }

  private JsonValue setting(String key) {
    return new JsonValue(file, "model." + key, settings.get(key));
  }

  private void readVocabulary(JsonParser parser) throws IOException {
    List<String> tokens = new ArrayList<>();
    int count = 0;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String token = parser.currentName();
      boolean integer = parser.nextToken() == JsonToken.VALUE_NUMBER_INT;
      long id = integer ? parser.getLongValue() : -1;
      if (id < 0 || id >= Vocabulary.MAX_SIZE) {
        throw new InputException(
            "%s: model.vocab[%s] is %s; supported: an id from 0 to %d"
                .formatted(
                    file, Quoted.of(token), Quoted.of(parser.getText()), Vocabulary.MAX_SIZE - 1));
      }
      if (tokens.size() <= id) {
        tokens.addAll(Collections.nCopies((int) id + 1 - tokens.size(), null));
      }
      String other = tokens.set((int) id, token);
      if (other != null) {
        throw new InputException(
            "%s: model.vocab gives id %d to %s and %s"
                .formatted(file, id, Quoted.of(other), Quoted.of(token)));
      }
      count++;
    }
    if (tokens.size() > 2L * count + HOLES) {
      throw new InputException(
          "%s: model.vocab has %d tokens, but ids up to %d; ids must be dense"
              .formatted(file, count, tokens.size() - 1));
    }
    vocabulary = new Vocabulary(file, tokens);
  }

  /** Merges are strings "a b", or lists of two strings since tokens may have spaces. */
  private void readMerges(JsonParser parser) throws IOException {
    JsonToken token;
    while ((token = parser.nextToken()) != JsonToken.END_ARRAY) {
      if (left.size() == MergeTable.MAX_SIZE) {
        throw new InputException(file + ": model.merges has more than " + left.size() + " entries");
      }
      JsonValue merge = JsonFiles.value(parser, file, "model.merges[" + left.size() + "]");
      if (token == JsonToken.VALUE_STRING) {
        String text = merge.string();
        int space = text.indexOf(' ');
        if (space <= 0 || space == text.length() - 1 || text.indexOf(' ', space + 1) >= 0) {
          throw merge.refuse("two tokens with one space between");
        }
        left.add(text.substring(0, space));
        right.add(text.substring(space + 1));
      } else {
        List<JsonValue> pair = merge.items();
        if (pair.size() != 2 || pair.get(0).string().isEmpty() || pair.get(1).string().isEmpty()) {
          throw merge.refuse("a pair of tokens");
        }
        left.add(pair.get(0).string());
        right.add(pair.get(1).string());
      }
    }
  }
}
