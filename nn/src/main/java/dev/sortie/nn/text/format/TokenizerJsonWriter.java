package dev.sortie.nn.text.format;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.text.AddedToken;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.TokenizerSpec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/** Writes a tokenizer as the {@code tokenizer.json} that Hugging Face's tokenizers reads. */
public final class TokenizerJsonWriter {
  private TokenizerJsonWriter() {}

  /**
   * Writes {@code tokenizer.json} and, beside it, the {@code tokenizer_config.json} that names BOS
   * and EOS. Each file appears whole or not at all.
   *
   * @throws InputException if a file cannot be written
   */
  public static void write(SubwordTokenizer tokenizer, Path file) {
    write(tokenizer, file, Optional.empty());
  }

  /**
   * The same with a chat template in {@code tokenizer_config.json}.
   *
   * @throws InputException if a file cannot be written
   */
  public static void write(SubwordTokenizer tokenizer, Path file, Optional<String> chatTemplate) {
    replace(file, json -> tokenizer(json, tokenizer));
    replace(
        file.resolveSibling("tokenizer_config.json"),
        json -> {
          json.writeStartObject();
          json.writeStringField("tokenizer_class", "PreTrainedTokenizerFast");
          special(json, tokenizer, "bos_token", tokenizer.bosId());
          special(json, tokenizer, "eos_token", tokenizer.eosId());
          if (chatTemplate.isPresent()) {
            json.writeStringField("chat_template", chatTemplate.get());
          }
          json.writeEndObject();
        });
  }

  private interface Writing {
    void write(JsonGenerator json) throws IOException;
  }

  private static void replace(Path file, Writing writing) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json =
        new JsonFactory().createGenerator(bytes).setPrettyPrinter(new DefaultPrettyPrinter())) {
      writing.write(json);
    } catch (IOException e) {
      throw new InputException(file + ": cannot be written: " + e, e);
    }
    AtomicFiles.write(file, bytes.toByteArray());
  }

  private static void special(JsonGenerator json, Tokenizer tokenizer, String key, OptionalInt id)
      throws IOException {
    Optional<String> token = id.isPresent() ? tokenizer.token(id.getAsInt()) : Optional.empty();
    json.writeStringField(key, token.orElse(null));
  }

  private static void tokenizer(JsonGenerator json, SubwordTokenizer tokenizer) throws IOException {
    TokenizerSpec spec = tokenizer.spec();
    json.writeStartObject();
    json.writeStringField("version", "1.0");
    json.writeNullField("truncation");
    json.writeNullField("padding");
    json.writeArrayFieldStart("added_tokens");
    for (AddedToken token : spec.added()) {
      AddedTokenJson.write(json, token);
    }
    json.writeEndArray();
    json.writeFieldName("normalizer");
    NormalizerJson.write(json, spec.normalizer());
    json.writeFieldName("pre_tokenizer");
    PreTokenizerJson.write(json, spec.preTokenizer());
    json.writeFieldName("post_processor");
    PostProcessorJson.write(json, tokenizer, spec.template());
    json.writeFieldName("decoder");
    DecodingJson.write(json, spec.decoding());
    json.writeFieldName("model");
    SubwordModelJson.write(json, spec);
    json.writeEndObject();
  }
}
