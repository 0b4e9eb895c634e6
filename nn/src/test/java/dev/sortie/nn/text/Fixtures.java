package dev.sortie.nn.text;

import dev.sortie.nn.json.JsonCursor;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.format.TokenizerJson;
import dev.sortie.nn.text.model.MergeTable;
import dev.sortie.nn.text.model.SubwordModel;
import dev.sortie.nn.text.model.Vocabulary;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

/** The files next to the tests, made by {@code make_fixtures.py}, and the shared models. */
public final class Fixtures {
  static final List<String> BYTE_LEVEL =
      List.of("gpt2", "gpt2prefix", "smollm", "llama3", "qwen2", "qwen35");
  static final List<String> SENTENCE_PIECE = List.of("sentencepiece", "metaspace", "nofallback");

  private Fixtures() {}

  static Stream<String> all() {
    return Stream.concat(BYTE_LEVEL.stream(), SENTENCE_PIECE.stream());
  }

  public static SubwordTokenizer tokenizer(String name) {
    try (InputStream in = Fixtures.class.getResourceAsStream(name + ".json")) {
      return TokenizerJson.read(in, name + ".json");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static MergeTable merges(TokenizerSpec spec) {
    return ((SubwordModel.Bpe) spec.model()).merges();
  }

  public static String text(String file) {
    try (InputStream in = Fixtures.class.getResourceAsStream(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static List<JsonValue> golden(String name) {
    try (InputStream in = Fixtures.class.getResourceAsStream(name + ".golden.json")) {
      return JsonCursor.read(in, name, JsonLimits.TOKENIZER, json -> json.value("")).items();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static int[] ids(JsonValue list) {
    return list.items().stream().mapToInt(id -> id.integer(0, Vocabulary.MAX_SIZE)).toArray();
  }

  /** The folder of shared models and corpora, where this machine has it. */
  public static Optional<Path> shared() {
    String named = System.getProperty("SORTIE_SHARED", System.getenv("SORTIE_SHARED"));
    return Stream.of(named, "../shared", "../../shared")
        .filter(path -> path != null && !path.isEmpty())
        .map(Path::of)
        .filter(Files::isDirectory)
        .findFirst();
  }

  /** Text of all scripts: letters, marks, digits, white space, emoji and unassigned code points. */
  static String randomText(Random random, int codePoints) {
    StringBuilder text = new StringBuilder();
    String common = " \n\t\r'sSlL1290aeiou.,!?<|>▁[]\u00A0\u0301\u017Fé日\u0661";
    while (text.codePointCount(0, text.length()) < codePoints) {
      int c =
          switch (random.nextInt(6)) {
            case 0 -> random.nextInt(0x110000);
            case 1 -> random.nextInt(0x3000);
            case 2 -> 0x1F300 + random.nextInt(0x300);
            default -> common.charAt(random.nextInt(common.length()));
          };
      if (c < 0xD800 || c > 0xDFFF) {
        text.appendCodePoint(c);
      }
    }
    return text.toString();
  }
}
