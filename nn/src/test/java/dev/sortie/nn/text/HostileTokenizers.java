package dev.sortie.nn.text;

import dev.sortie.nn.format.GgufMetadata;
import dev.sortie.nn.format.GgufValue;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.text.format.GgufTokenizer;
import dev.sortie.nn.text.format.TokenizerJson;
import dev.sortie.nn.text.format.TokenizerModel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/** Tokenizer files that are valid, and ask for much. */
public final class HostileTokenizers {
  public static final int UNIGRAM = 1;
  public static final int BPE = 2;
  static final List<String> LETTERS = List.of("n", "a", "b", "c", "\u2581", " ");

  private HostileTokenizers() {}

  /** The parts of a {@code tokenizer.json} that differ; the rest is the simplest there is. */
  public static final class JsonFile {
    private Object normalizer;
    private Object preTokenizer;
    private Object decoder = Map.of("type", "Fuse");
    private List<String> vocabulary = LETTERS;
    private final List<Object> added = new ArrayList<>();

    private JsonFile() {}

    public JsonFile normalizer(Object value) {
      normalizer = value;
      return this;
    }

    public JsonFile preTokenizer(Object value) {
      preTokenizer = value;
      return this;
    }

    public JsonFile decoder(Object value) {
      decoder = value;
      return this;
    }

    public JsonFile vocabulary(List<String> tokens) {
      vocabulary = tokens;
      return this;
    }

    /** An added token that is searched after normalisation, with the id that comes next. */
    public JsonFile added(String content) {
      return added(content, vocabulary.size() + added.size(), true);
    }

    public JsonFile added(String content, int id, boolean normalized) {
      added.add(Json.object("id", id, "content", content, "normalized", normalized));
      return this;
    }

    public String text() {
      Map<String, Object> ids = new LinkedHashMap<>();
      vocabulary.forEach(token -> ids.put(token, ids.size()));
      return Json.compact(
          Json.object(
              "version",
              "1.0",
              "added_tokens",
              added,
              "normalizer",
              normalizer,
              "pre_tokenizer",
              preTokenizer,
              "decoder",
              decoder,
              "model",
              Json.object("type", "BPE", "vocab", ids, "merges", List.of())));
    }

    /** Reads it as Sortie reads a file. */
    public SubwordTokenizer read() {
      byte[] utf8 = text().getBytes(StandardCharsets.UTF_8);
      return TokenizerJson.read(new ByteArrayInputStream(utf8), "tokenizer.json");
    }
  }

  public static JsonFile json() {
    return new JsonFile();
  }

  /** A chain of {@code times} the same steps; {@code field} lists them. */
  public static Object chain(String field, int times, Object... steps) {
    List<Object> all = new ArrayList<>();
    for (int i = 0; i < times; i++) {
      Collections.addAll(all, steps);
    }
    return Json.object("type", "Sequence", field, all);
  }

  public static Object replace(String pattern, String content) {
    return Json.object("type", "Replace", "pattern", Map.of("String", pattern), "content", content);
  }

  public static Object metaspace(String replacement) {
    return Json.object(
        "type", "Metaspace", "replacement", replacement, "prepend_scheme", "always", "split", true);
  }

  public static Object digits() {
    return Json.object("type", "Digits", "individual_digits", true);
  }

  /** Strings of one hash code: {@code Aa} and {@code BB} have the same. */
  public static List<String> colliding(int count) {
    int pairs = 32 - Integer.numberOfLeadingZeros(count - 1);
    return IntStream.range(0, count)
        .mapToObj(
            i -> {
              StringBuilder text = new StringBuilder();
              for (int bit = 0; bit < pairs; bit++) {
                text.append((i >> bit & 1) == 0 ? "Aa" : "BB");
              }
              return text.toString();
            })
        .toList();
  }

  /** The bytes of a {@code tokenizer.model} with these pieces after the control tokens. */
  public static byte[] sentencePiece(int modelType, List<String> pieces) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    field(out, 1, piece("<unk>", 0, 2));
    field(out, 1, piece("<s>", 0, 3));
    field(out, 1, piece("</s>", 0, 3));
    for (int i = 0; i < pieces.size(); i++) {
      field(out, 1, piece(pieces.get(i), -1 - i, 1));
    }
    field(out, 2, new byte[] {3 << 3, (byte) modelType});
    return out.toByteArray();
  }

  private static byte[] piece(String text, float score, int type) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    field(out, 1, text.getBytes(StandardCharsets.UTF_8));
    out.write(2 << 3 | 5);
    out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(score).array());
    out.write(3 << 3);
    out.write(type);
    return out.toByteArray();
  }

  private static void field(ByteArrayOutputStream out, int number, byte[] bytes) {
    out.write(number << 3 | 2);
    int length = bytes.length;
    for (; length >= 0x80; length >>>= 7) {
      out.write(length & 0x7F | 0x80);
    }
    out.write(length);
    out.writeBytes(bytes);
  }

  public static SubwordTokenizer readModel(Path folder, byte[] bytes) {
    try {
      return TokenizerModel.read(Files.write(folder.resolve("tokenizer.model"), bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The tokenizer of a GGUF file of SentencePiece's kind with these tokens. */
  public static SubwordTokenizer readGguf(List<String> pieces) {
    List<String> tokens = new ArrayList<>(List.of("<unk>"));
    tokens.addAll(pieces);
    int[] types = new int[tokens.size()];
    float[] scores = new float[tokens.size()];
    for (int id = 0; id < types.length; id++) {
      types[id] = id == 0 ? 2 : 1;
      scores[id] = -id;
    }
    SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
    metadata.put("tokenizer.ggml.model", new GgufValue.Text("llama"));
    metadata.put("tokenizer.ggml.tokens", GgufValue.Array.of(tokens));
    metadata.put("tokenizer.ggml.scores", GgufValue.Array.of(scores));
    metadata.put("tokenizer.ggml.token_type", GgufValue.Array.of(types));
    metadata.put("tokenizer.ggml.add_bos_token", new GgufValue.Flag(false));
    return GgufTokenizer.read(new GgufMetadata(Path.of("a.gguf"), metadata), tokens.size());
  }
}
