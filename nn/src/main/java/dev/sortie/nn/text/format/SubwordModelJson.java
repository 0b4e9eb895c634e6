package dev.sortie.nn.text.format;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.TokenizerSpec;
import dev.sortie.nn.text.model.BpeOptions;
import dev.sortie.nn.text.model.MergeTable;
import dev.sortie.nn.text.model.SubwordModel;
import dev.sortie.nn.text.model.Vocabulary;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** The field {@code model} of {@code tokenizer.json}, read as a stream for its large tables. */
final class SubwordModelJson {
  private static final String BPE = "BPE";
  private static final String UNIGRAM = "Unigram";

  private final String file;
  private final Map<String, Object> settings = new LinkedHashMap<>();
  // Merges that come before the vocabulary have to wait for it.
  private final List<String> left = new ArrayList<>();
  private final List<String> right = new ArrayList<>();
  private MergeTable.Builder merges;
  private Vocabulary vocabulary;

  /** Of each id; null where the vocabulary has none. */
  private double[] scores;

  private SubwordModelJson(String file) {
    this.file = file;
  }

  static SubwordModelJson read(JsonParser parser, String file) throws IOException {
    SubwordModelJson model = new SubwordModelJson(file);
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw JsonFiles.value(parser, file, "model").refuse("an object");
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      JsonToken token = parser.nextToken();
      if (key.equals("vocab") && token == JsonToken.START_OBJECT) {
        model.vocabulary = VocabularyJson.readIds(parser, file);
      } else if (key.equals("vocab") && token == JsonToken.START_ARRAY) {
        model.readScores(parser);
      } else if (key.equals("merges") && token == JsonToken.START_ARRAY) {
        model.readMerges(parser);
      } else {
        model.settings.put(key, JsonFiles.value(parser, file, "model." + key).value());
      }
    }
    model.check();
    return model;
  }

  Vocabulary vocabulary() {
    return vocabulary;
  }

  private boolean isUnigram() {
    return UNIGRAM.equals(setting("type").value()) || setting("type").isNull() && scores != null;
  }

  private void check() {
    JsonValue type = setting("type");
    if (!(type.isNull() || BPE.equals(type.value()) || UNIGRAM.equals(type.value()))) {
      throw type.refuse("BPE, Unigram");
    }
    if (vocabulary == null) {
      throw new InputException(
          "%s: model.vocab is %s; BPE needs an object of tokens and ids, Unigram a list of tokens and scores"
              .formatted(
                  file, settings.containsKey("vocab") ? setting("vocab").value() : "absent"));
    }
    if (isUnigram() != (scores != null)) {
      throw new InputException(
          "%s: model.vocab is %s, but model.type is %s"
              .formatted(
                  file,
                  scores == null ? "an object of tokens and ids" : "a list of tokens and scores",
                  type.value()));
    }
  }

  /** The model; {@code byteLevel} says whether its symbols are bytes. */
  SubwordModel model(boolean byteLevel) {
    return isUnigram() ? unigram(byteLevel) : bpe(byteLevel);
  }

  private SubwordModel unigram(boolean byteLevel) {
    new JsonValue(file, "model", settings).only("type", "unk_id", "byte_fallback");
    if (byteLevel) {
      throw new InputException(file + ": pre_tokenizer is ByteLevel, which needs a model of BPE");
    }
    JsonValue unknown = setting("unk_id");
    double least = Arrays.stream(scores).min().orElse(0);
    return new SubwordModel.Unigram(
        scores,
        least - SubwordModel.Unigram.UNKNOWN_PENALTY,
        unknown.isNull()
            ? OptionalInt.empty()
            : OptionalInt.of(unknown.integer(0, vocabulary.size() - 1)),
        setting("byte_fallback").bool(false),
        false);
  }

  private SubwordModel bpe(boolean byteLevel) {
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
    return new SubwordModel.Bpe(
        merges == null ? MergeTable.of(file, vocabulary, left, right) : merges.build(),
        new BpeOptions(
            byteLevel,
            setting("byte_fallback").bool(false),
            setting("fuse_unk").bool(false),
            setting("ignore_merges").bool(false),
            unknown()));
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

  private void readScores(JsonParser parser) throws IOException {
    VocabularyJson.Scored scored = VocabularyJson.readScores(parser, file);
    vocabulary = scored.vocabulary();
    scores = scored.scores();
  }

  /** Merges are strings "a b", or lists of two strings since tokens may have spaces. */
  private void readMerges(JsonParser parser) throws IOException {
    merges = vocabulary == null ? null : new MergeTable.Builder(file, vocabulary);
    JsonToken token;
    while ((token = parser.nextToken()) != JsonToken.END_ARRAY) {
      if (token == JsonToken.VALUE_STRING) {
        String text = parser.getText();
        int space = text.indexOf(' ');
        if (space <= 0 || space == text.length() - 1 || text.indexOf(' ', space + 1) >= 0) {
          throw merge(text).refuse("two tokens with one space between");
        }
        addMerge(text.substring(0, space), text.substring(space + 1));
      } else if (token == JsonToken.START_ARRAY) {
        addMerge(side(parser), side(parser));
        if (parser.nextToken() != JsonToken.END_ARRAY) {
          throw merge(parser.getText()).refuse("a pair of tokens");
        }
      } else {
        throw merge(parser.getText()).refuse("a pair of tokens");
      }
    }
  }

  private String side(JsonParser parser) throws IOException {
    if (parser.nextToken() != JsonToken.VALUE_STRING || parser.getTextLength() == 0) {
      throw merge(parser.getText()).refuse("a pair of tokens");
    }
    return parser.getText();
  }

  private void addMerge(String first, String second) {
    if (merges != null) {
      merges.add(first, second);
      return;
    }
    if (left.size() == MergeTable.MAX_SIZE) {
      throw new InputException(file + ": model.merges has more than " + left.size() + " entries");
    }
    left.add(first);
    right.add(second);
  }

  private JsonValue merge(Object value) {
    int index = merges == null ? left.size() : merges.size();
    return new JsonValue(file, "model.merges[" + index + "]", value);
  }

  static void write(JsonGenerator json, TokenizerSpec spec) throws IOException {
    switch (spec.model()) {
      case SubwordModel.Bpe bpe -> write(json, spec.vocabulary(), bpe);
      case SubwordModel.Unigram unigram -> write(json, spec, unigram);
    }
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, Vocabulary vocabulary, SubwordModel.Bpe model)
      throws IOException {
    JsonValues.start(json, BPE);
    json.writeNullField("dropout");
    OptionalInt unknown = model.unknown();
    json.writeStringField(
        "unk_token", unknown.isPresent() ? vocabulary.token(unknown.getAsInt()) : null);
    json.writeNullField("continuing_subword_prefix");
    json.writeNullField("end_of_word_suffix");
    json.writeBooleanField("fuse_unk", model.options().fuseUnknown());
    json.writeBooleanField("byte_fallback", model.options().byteFallback());
    json.writeBooleanField("ignore_merges", model.options().ignoreMerges());
    json.writeObjectFieldStart("vocab");
    for (int id = 0; id < vocabulary.size(); id++) {
      if (vocabulary.token(id) != null) {
        json.writeNumberField(vocabulary.token(id), id);
      }
    }
    json.writeEndObject();
    json.writeArrayFieldStart("merges");
    MergeTable table = model.merges();
    for (int rank = 0; rank < table.size(); rank++) {
      String[] pair = {vocabulary.token(table.left(rank)), vocabulary.token(table.right(rank))};
      json.writeArray(pair, 0, 2);
    }
    json.writeEndArray();
  }

  private static void write(JsonGenerator json, TokenizerSpec spec, SubwordModel.Unigram model)
      throws IOException {
    JsonValues.start(json, UNIGRAM);
    if (model.unknown().isPresent()) {
      json.writeNumberField("unk_id", model.unknown().getAsInt());
    } else {
      json.writeNullField("unk_id");
    }
    json.writeBooleanField("byte_fallback", model.byteFallback());
    json.writeArrayFieldStart("vocab");
    for (int id = 0; id < spec.vocabulary().size(); id++) {
      json.writeStartArray();
      json.writeString(spec.vocabulary().token(id));
      double score = model.scores()[id];
      json.writeNumber(Double.isNaN(score) ? 0 : score);
      json.writeEndArray();
    }
    json.writeEndArray();
  }
}
