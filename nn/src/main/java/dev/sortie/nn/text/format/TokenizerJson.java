package dev.sortie.nn.text.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonCursor;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.AddedToken;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.TokenizerSpec;
import dev.sortie.nn.text.stage.PostProcessor;
import dev.sortie.nn.text.stage.PreTokenizer;
import dev.sortie.nn.text.stage.TokenDecoding;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Reads the {@code tokenizer.json} of Hugging Face's tokenizers: byte-level BPE, BPE of
 * SentencePiece's kind with byte fallback, and Unigram. Anything that is not supported is refused
 * by name.
 */
public final class TokenizerJson {
  private static final Set<String> FIELDS =
      Set.of(
          "version",
          "truncation",
          "padding",
          "added_tokens",
          "normalizer",
          "pre_tokenizer",
          "post_processor",
          "decoder");

  private TokenizerJson() {}

  /**
   * The tokenizer of a file. BOS and EOS are the ids that the post-processor puts round a text;
   * what it leaves open is taken from {@code tokenizer_config.json} next to the file, else from
   * {@code config.json} next to it; otherwise there is none.
   *
   * @throws InputException if the file cannot be read, is damaged or asks for what is not supported
   */
  public static SubwordTokenizer read(Path file) {
    SubwordTokenizer tokenizer =
        JsonCursor.read(
            file, JsonLimits.TOKENIZER, json -> new SubwordTokenizer(spec(json, file.toString())));
    return SpecialTokenFiles.complete(tokenizer, file.toAbsolutePath().getParent());
  }

  /**
   * The tokenizer of a stream, which is read to its end but not closed. BOS and EOS are the ids
   * that the post-processor puts round a text, if any.
   *
   * @param name stands for the file in messages
   * @throws InputException as {@link #read(Path)}
   */
  public static SubwordTokenizer read(InputStream in, String name) {
    return JsonCursor.read(
        in, name, JsonLimits.TOKENIZER, json -> new SubwordTokenizer(spec(json, name)));
  }

  private static TokenizerSpec spec(JsonCursor json, String file) {
    if (!json.isObject()) {
      throw new InputException(file + ": not a JSON object, so not a tokenizer.json");
    }
    Map<String, JsonValue> parts = new HashMap<>();
    SubwordModelJson model = null;
    while (json.nextField()) {
      String key = json.name();
      if (key.equals("model")) {
        model = SubwordModelJson.read(json, file);
        continue;
      }
      JsonValue part = json.value(key);
      part.requireKnown(FIELDS.contains(key));
      parts.put(key, part);
    }
    if (model == null) {
      throw new InputException(file + ": model is absent; a tokenizer.json has one");
    }
    return spec(file, model, parts);
  }

  /**
   * Truncation and padding are left aside: they are settings of one call, which the libraries that
   * read these files set anew for each call.
   */
  private static TokenizerSpec spec(
      String file, SubwordModelJson model, Map<String, JsonValue> parts) {
    JsonValue version = part(file, parts, "version");
    if (!"1.0".equals(version.value())) {
      throw version.refuse("\"1.0\"");
    }
    JsonValue addedTokens = part(file, parts, "added_tokens");
    List<AddedToken> added =
        addedTokens.isNull()
            ? List.of()
            : addedTokens.items().stream().map(AddedTokenJson::read).toList();
    PreTokenizer preTokenizer = PreTokenizerJson.read(part(file, parts, "pre_tokenizer"));
    TokenDecoding decoding = DecodingJson.read(part(file, parts, "decoder"));
    boolean byteLevel = PreTokenizerJson.isByteLevel(preTokenizer);
    if (byteLevel != decoding.isByteLevel()) {
      throw part(file, parts, "decoder")
          .refuse(
              byteLevel
                  ? "ByteLevel, as in pre_tokenizer"
                  : "no ByteLevel, since pre_tokenizer has none");
    }
    PostProcessor template = PostProcessorJson.read(part(file, parts, "post_processor"));
    return new TokenizerSpec(
        file,
        model.vocabulary(),
        model.model(byteLevel),
        added,
        NormalizerJson.read(part(file, parts, "normalizer")),
        preTokenizer,
        decoding,
        template,
        first(template.prefix()),
        first(template.suffix()));
  }

  private static OptionalInt first(List<Integer> ids) {
    return ids.isEmpty() ? OptionalInt.empty() : OptionalInt.of(ids.getFirst());
  }

  private static JsonValue part(String file, Map<String, JsonValue> parts, String key) {
    return parts.getOrDefault(key, new JsonValue(file, key, null));
  }
}
