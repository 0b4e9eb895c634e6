package dev.sortie.nn.text.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.json.JsonCursor;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.model.Vocabulary;
import it.unimi.dsi.fastutil.doubles.DoubleArrayList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The field {@code model.vocab} of {@code tokenizer.json} in its two forms. */
final class VocabularyJson {
  /** Real vocabularies have few unused ids; more would let a small file take much memory. */
  private static final int HOLES = 1 << 12;

  /** Tokens by id, each with a score. */
  record Scored(Vocabulary vocabulary, double[] scores) {}

  private VocabularyJson() {}

  /** An object of tokens and ids. */
  static Vocabulary readIds(JsonCursor json, String file) {
    List<String> tokens = new ArrayList<>();
    int count = 0;
    while (json.nextField()) {
      String token = json.name();
      long id = json.integer(-1);
      if (id < 0 || id >= Vocabulary.MAX_SIZE) {
        throw new InputException(
            "%s: model.vocab[%s] is %s; supported: an id from 0 to %d"
                .formatted(
                    file,
                    Printable.quoted(token),
                    Printable.quoted(json.text()),
                    Vocabulary.MAX_SIZE - 1));
      }
      if (tokens.size() <= id) {
        tokens.addAll(Collections.nCopies((int) id + 1 - tokens.size(), null));
      }
      String other = tokens.set((int) id, token);
      if (other != null) {
        throw new InputException(
            "%s: model.vocab gives id %d to %s and %s"
                .formatted(file, id, Printable.quoted(other), Printable.quoted(token)));
      }
      count++;
    }
    if (tokens.size() > 2L * count + HOLES) {
      throw new InputException(
          "%s: model.vocab has %d tokens, but ids up to %d; ids must be dense"
              .formatted(file, count, tokens.size() - 1));
    }
    return new Vocabulary(file, tokens);
  }

  /** A list of pairs, token and score; the place in the list is the id. */
  static Scored readScores(JsonCursor json, String file) {
    List<String> tokens = new ArrayList<>();
    DoubleArrayList scores = new DoubleArrayList();
    while (json.nextItem()) {
      String path = "model.vocab[" + tokens.size() + "]";
      if (tokens.size() == Vocabulary.MAX_SIZE) {
        throw new InputException(
            "%s: model.vocab has more than %d tokens".formatted(file, tokens.size()));
      }
      JsonValue entry = json.value(path);
      List<JsonValue> pair = entry.items();
      if (pair.size() != 2
          || !(pair.get(0).value() instanceof String token)
          || !(pair.get(1).value() instanceof Number score)
          || !Double.isFinite(score.doubleValue())) {
        throw entry.refuse("a list of a token and its score");
      }
      tokens.add(token);
      scores.add(score.doubleValue());
    }
    return new Scored(new Vocabulary(file, tokens), scores.toDoubleArray());
  }
}
