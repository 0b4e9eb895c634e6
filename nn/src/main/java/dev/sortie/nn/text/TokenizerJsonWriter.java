package dev.sortie.nn.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.AtomicFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
  public static void write(BpeTokenizer tokenizer, Path file) {
    write(tokenizer, file, Optional.empty());
  }

  /**
   * The same with a chat template in {@code tokenizer_config.json}.
   *
   * @throws InputException if a file cannot be written
   */
  public static void write(BpeTokenizer tokenizer, Path file, Optional<String> chatTemplate) {
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

  private static void tokenizer(JsonGenerator json, BpeTokenizer tokenizer) throws IOException {
    TokenizerSpec spec = tokenizer.spec();
    json.writeStartObject();
    json.writeStringField("version", "1.0");
    json.writeNullField("truncation");
    json.writeNullField("padding");
    json.writeArrayFieldStart("added_tokens");
    for (AddedToken token : spec.added()) {
      json.writeStartObject();
      json.writeNumberField("id", token.id());
      json.writeStringField("content", token.content());
      json.writeBooleanField("single_word", token.singleWord());
      json.writeBooleanField("lstrip", token.lstrip());
      json.writeBooleanField("rstrip", token.rstrip());
      json.writeBooleanField("normalized", token.normalized());
      json.writeBooleanField("special", token.special());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeFieldName("normalizer");
    normalizer(json, spec.normalizer());
    json.writeFieldName("pre_tokenizer");
    preTokenizer(json, spec.preTokenizer());
    json.writeFieldName("post_processor");
    template(json, tokenizer, spec.template());
    json.writeFieldName("decoder");
    decoder(json, spec.decoding());
    json.writeFieldName("model");
    model(json, spec);
    json.writeEndObject();
  }

  private static void start(JsonGenerator json, String type) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", type);
  }

  private static void normalizer(JsonGenerator json, Normalizer normalizer) throws IOException {
    switch (normalizer) {
      case Normalizer.None() -> {
        json.writeNull();
        return;
      }
      case Normalizer.Unicode(var form) -> start(json, form.name());
      case Normalizer.Prepend(String prefix) -> {
        start(json, "Prepend");
        json.writeStringField("prepend", prefix);
      }
      case Normalizer.Replace(String pattern, String content) ->
          replacement(json, pattern, content);
      case Normalizer.Sequence(List<Normalizer> steps) -> {
        start(json, "Sequence");
        json.writeArrayFieldStart("normalizers");
        for (Normalizer step : steps) {
          normalizer(json, step);
        }
        json.writeEndArray();
      }
    }
    json.writeEndObject();
  }

  private static void preTokenizer(JsonGenerator json, PreTokenizer preTokenizer)
      throws IOException {
    switch (preTokenizer) {
      case PreTokenizer.None() -> {
        json.writeNull();
        return;
      }
      case PreTokenizer.ByteLevel(boolean addPrefixSpace, boolean useRegex) ->
          byteLevel(json, addPrefixSpace, useRegex);
      case PreTokenizer.Split(SplitPattern pattern) -> {
        start(json, "Split");
        json.writeObjectFieldStart("pattern");
        json.writeStringField("Regex", pattern.regex());
        json.writeEndObject();
        json.writeStringField("behavior", "Isolated");
        json.writeBooleanField("invert", false);
      }
      case PreTokenizer.Digits(boolean individual) -> {
        start(json, "Digits");
        json.writeBooleanField("individual_digits", individual);
      }
      case PreTokenizer.Metaspace(char replacement, var prepend, boolean split) -> {
        start(json, "Metaspace");
        json.writeStringField("replacement", String.valueOf(replacement));
        json.writeStringField("prepend_scheme", scheme(prepend));
        json.writeBooleanField("split", split);
      }
      case PreTokenizer.Sequence(List<PreTokenizer> steps) -> {
        start(json, "Sequence");
        json.writeArrayFieldStart("pretokenizers");
        for (PreTokenizer step : steps) {
          preTokenizer(json, step);
        }
        json.writeEndArray();
      }
    }
    json.writeEndObject();
  }

  private static String scheme(PreTokenizer.PrependScheme scheme) {
    return switch (scheme) {
      case FIRST -> "first";
      case ALWAYS -> "always";
      case NEVER -> "never";
    };
  }

  private static void byteLevel(JsonGenerator json, boolean addPrefixSpace, boolean useRegex)
      throws IOException {
    start(json, "ByteLevel");
    json.writeBooleanField("add_prefix_space", addPrefixSpace);
    json.writeBooleanField("trim_offsets", true);
    json.writeBooleanField("use_regex", useRegex);
  }

  private static void replacement(JsonGenerator json, String pattern, String content)
      throws IOException {
    start(json, "Replace");
    json.writeObjectFieldStart("pattern");
    json.writeStringField("String", pattern);
    json.writeEndObject();
    json.writeStringField("content", content);
  }

  private static void template(JsonGenerator json, Tokenizer tokenizer, Template template)
      throws IOException {
    if (template.equals(Template.NONE)) {
      json.writeNull();
      return;
    }
    List<Integer> all = new ArrayList<>(template.prefix());
    all.addAll(template.suffix());
    start(json, "TemplateProcessing");
    json.writeArrayFieldStart("single");
    sequence(json, tokenizer, template, "A", 0);
    json.writeEndArray();
    json.writeArrayFieldStart("pair");
    sequence(json, tokenizer, template, "A", 0);
    sequence(json, tokenizer, template, "B", 1);
    json.writeEndArray();
    json.writeObjectFieldStart("special_tokens");
    for (int id : all.stream().distinct().toList()) {
      String token = tokenizer.token(id).orElseThrow();
      json.writeObjectFieldStart(token);
      json.writeStringField("id", token);
      json.writeArrayFieldStart("ids");
      json.writeNumber(id);
      json.writeEndArray();
      json.writeArrayFieldStart("tokens");
      json.writeString(token);
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void sequence(
      JsonGenerator json, Tokenizer tokenizer, Template template, String text, int type)
      throws IOException {
    for (int id : template.prefix()) {
      item(json, "SpecialToken", tokenizer.token(id).orElseThrow(), type);
    }
    item(json, "Sequence", text, type);
    for (int id : template.suffix()) {
      item(json, "SpecialToken", tokenizer.token(id).orElseThrow(), type);
    }
  }

  private static void item(JsonGenerator json, String kind, String id, int type)
      throws IOException {
    json.writeStartObject();
    json.writeObjectFieldStart(kind);
    json.writeStringField("id", id);
    json.writeNumberField("type_id", type);
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void decoder(JsonGenerator json, TokenDecoding decoding) throws IOException {
    switch (decoding) {
      case TokenDecoding.ByteLevel() -> byteLevel(json, true, true);
      case TokenDecoding.Metaspace(char replacement, boolean dropFirst) -> {
        start(json, "Metaspace");
        json.writeStringField("replacement", String.valueOf(replacement));
        json.writeStringField("prepend_scheme", dropFirst ? "always" : "never");
        json.writeBooleanField("split", true);
      }
      case TokenDecoding.Pieces pieces -> {
        start(json, "Sequence");
        json.writeArrayFieldStart("decoders");
        for (TokenDecoding.Replacement r : pieces.replacements()) {
          replacement(json, r.pattern(), r.content());
          json.writeEndObject();
        }
        if (pieces.byteFallback()) {
          start(json, "ByteFallback");
          json.writeEndObject();
        }
        start(json, "Fuse");
        json.writeEndObject();
        if (pieces.stripStart() > 0) {
          start(json, "Strip");
          json.writeStringField("content", String.valueOf(pieces.strip()));
          json.writeNumberField("start", pieces.stripStart());
          json.writeNumberField("stop", 0);
          json.writeEndObject();
        }
        json.writeEndArray();
      }
    }
    json.writeEndObject();
  }

  private static void model(JsonGenerator json, TokenizerSpec spec) throws IOException {
    start(json, "BPE");
    json.writeNullField("dropout");
    OptionalInt unknown = spec.options().unknown();
    json.writeStringField(
        "unk_token", unknown.isPresent() ? spec.vocabulary().token(unknown.getAsInt()) : null);
    json.writeNullField("continuing_subword_prefix");
    json.writeNullField("end_of_word_suffix");
    json.writeBooleanField("fuse_unk", spec.options().fuseUnknown());
    json.writeBooleanField("byte_fallback", spec.options().byteFallback());
    json.writeBooleanField("ignore_merges", spec.options().ignoreMerges());
    json.writeObjectFieldStart("vocab");
    for (int id = 0; id < spec.vocabulary().size(); id++) {
      if (spec.vocabulary().token(id) != null) {
        json.writeNumberField(spec.vocabulary().token(id), id);
      }
    }
    json.writeEndObject();
    json.writeArrayFieldStart("merges");
    for (int rank = 0; rank < spec.merges().size(); rank++) {
      json.writeArray(
          new String[] {
            spec.vocabulary().token(spec.merges().left(rank)),
            spec.vocabulary().token(spec.merges().right(rank))
          },
          0,
          2);
    }
    json.writeEndArray();
    json.writeEndObject();
  }
}
