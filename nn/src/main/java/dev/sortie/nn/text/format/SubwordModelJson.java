package dev.sortie.nn.text.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonCursor;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.AddedToken;
import dev.sortie.nn.text.TokenizerSpec;
import dev.sortie.nn.text.model.BpeOptions;
import dev.sortie.nn.text.model.MergeTable;
import dev.sortie.nn.text.model.SubwordModel;
import dev.sortie.nn.text.model.Vocabulary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The field {@code model} of {@code tokenizer.json}, read as a stream for its large tables. */
final class SubwordModelJson {
  private static final String BPE = "BPE";
  private static final String UNIGRAM = "Unigram";

  private final String file;
  private final Map<String, JsonValue> settings = new LinkedHashMap<>();
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

  static SubwordModelJson read(JsonCursor json, String file) {
    SubwordModelJson model = new SubwordModelJson(file);
    if (!json.isObject()) {
      throw json.value("model").refuse("an object");
    }
    while (json.nextField()) {
      String key = json.name();
      if (key.equals("vocab") && json.isObject()) {
        model.vocabulary = VocabularyJson.readIds(json, file);
      } else if (key.equals("vocab") && json.isList()) {
        model.readScores(json);
      } else if (key.equals("merges") && json.isList()) {
        model.readMerges(json);
      } else {
        model.settings.put(key, json.value("model." + key));
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
    requireKnown("type", "unk_id", "byte_fallback");
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
    requireKnown(
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

  private void requireKnown(String... keys) {
    Set<String> known = Set.of(keys);
    settings.forEach((key, setting) -> setting.requireKnown(known.contains(key)));
  }

  private JsonValue setting(String key) {
    return settings.getOrDefault(key, new JsonValue(file, "model." + key, null));
  }

  private void readScores(JsonCursor json) {
    VocabularyJson.Scored scored = VocabularyJson.readScores(json, file);
    vocabulary = scored.vocabulary();
    scores = scored.scores();
  }

  /** Merges are strings "a b", or lists of two strings since tokens may have spaces. */
  private void readMerges(JsonCursor json) {
    merges = vocabulary == null ? null : new MergeTable.Builder(file, vocabulary);
    while (json.nextItem()) {
      if (json.isString()) {
        String text = json.text();
        int space = text.indexOf(' ');
        if (space <= 0 || space == text.length() - 1 || text.indexOf(' ', space + 1) >= 0) {
          throw merge(text).refuse("two tokens with one space between");
        }
        addMerge(text.substring(0, space), text.substring(space + 1));
      } else if (json.isList()) {
        addMerge(side(json), side(json));
        if (json.nextItem()) {
          throw merge(json.text()).refuse("a pair of tokens");
        }
      } else {
        throw merge(json.text()).refuse("a pair of tokens");
      }
    }
  }

  private String side(JsonCursor json) {
    if (!json.nextItem() || !json.isString() || json.text().isEmpty()) {
      throw merge(json.text()).refuse("a pair of tokens");
    }
    return json.text();
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

  /** The field's value. */
  static Map<String, Object> write(TokenizerSpec spec) {
    return switch (spec.model()) {
      case SubwordModel.Bpe bpe -> write(spec.vocabulary(), bpe);
      case SubwordModel.Unigram unigram -> {
        requireSpelled(spec, unigram);
        yield write(spec.vocabulary(), unigram);
      }
    };
  }

  /** The format has a score for each token, so text could be spelled with any but special ones. */
  private static void requireSpelled(TokenizerSpec spec, SubwordModel.Unigram model) {
    Set<Integer> special =
        spec.added().stream()
            .filter(AddedToken::special)
            .map(AddedToken::id)
            .collect(Collectors.toSet());
    for (int id = 0; id < spec.vocabulary().size(); id++) {
      if (Double.isNaN(model.scores()[id]) && !special.contains(id)) {
        throw new InputException(
            "%s: no text is spelled with token %d, %s; tokenizer.json cannot say that"
                .formatted(spec.source(), id, Printable.quoted(spec.vocabulary().token(id))));
      }
    }
  }

  private static Map<String, Object> write(Vocabulary vocabulary, SubwordModel.Bpe model) {
    Map<String, Object> ids = new LinkedHashMap<>();
    for (int id = 0; id < vocabulary.size(); id++) {
      if (vocabulary.token(id) != null) {
        ids.put(vocabulary.token(id), id);
      }
    }
    MergeTable table = model.merges();
    List<List<String>> pairs =
        IntStream.range(0, table.size())
            .mapToObj(
                rank ->
                    List.of(
                        vocabulary.token(table.left(rank)), vocabulary.token(table.right(rank))))
            .toList();
    OptionalInt unknown = model.unknown();
    return Json.object(
        "type",
        BPE,
        "dropout",
        null,
        "unk_token",
        unknown.isPresent() ? vocabulary.token(unknown.getAsInt()) : null,
        "continuing_subword_prefix",
        null,
        "end_of_word_suffix",
        null,
        "fuse_unk",
        model.options().fuseUnknown(),
        "byte_fallback",
        model.options().byteFallback(),
        "ignore_merges",
        model.options().ignoreMerges(),
        "vocab",
        ids,
        "merges",
        pairs);
  }

  private static Map<String, Object> write(Vocabulary vocabulary, SubwordModel.Unigram model) {
    List<List<Object>> scored =
        IntStream.range(0, vocabulary.size())
            .mapToObj(
                id -> {
                  double score = model.scores()[id];
                  // special tokens are never spelled, whatever their score
                  return Arrays.<Object>asList(
                      vocabulary.token(id), Double.isNaN(score) ? 0.0 : score);
                })
            .toList();
    return Json.object(
        "type",
        UNIGRAM,
        "unk_id",
        model.unknown().isPresent() ? model.unknown().getAsInt() : null,
        "byte_fallback",
        model.byteFallback(),
        "vocab",
        scored);
  }
}
