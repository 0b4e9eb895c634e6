package dev.sortie.eetuning.serve.api;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Texts to ids and back, and conversations to texts: what needs the model's files and no pass. */
final class TextEndpoints {
  private static final String PROMPT = "prompt";

  private final ServedModel served;

  TextEndpoints(ServedModel served) {
    this.served = served;
  }

  /**
   * {@code /tokenize}: {@code content} as llama.cpp's server has it, or {@code prompt} as vLLM's,
   * where special tokens are parsed and added unless the request says otherwise.
   */
  void tokenize(ApiRequest request) {
    RequestFields f = request.fields();
    Optional<String> content = f.string("content");
    Optional<String> prompt = f.string(PROMPT);
    if (content.isPresent() && prompt.isPresent()) {
      throw f.wrong(PROMPT, "no content with it");
    }
    String text = content.or(() -> prompt).orElseThrow(() -> f.missing("content", "a text"));
    boolean special = prompt.isPresent();
    EncodeOptions options =
        new EncodeOptions(
            f.flag("add_special", f.flag("add_special_tokens", special)),
            f.flag("parse_special", special));
    boolean pieces = f.flag("with_pieces");
    int[] ids;
    try {
      ids = tokenizer().encode(text, options);
    } catch (InputException e) {
      throw ApiError.invalid(content.isPresent() ? "content" : PROMPT, e.getMessage());
    }
    TokenText words = new TokenText(tokenizer());
    List<?> tokens =
        Arrays.stream(ids)
            .<Object>mapToObj(id -> pieces ? Json.object("id", id, "piece", words.text(id)) : id)
            .toList();
    send(request, Json.object("tokens", tokens, "count", ids.length), f);
  }

  /** {@code /detokenize}. */
  void detokenize(ApiRequest request) {
    RequestFields f = request.fields();
    if (!(f.raw("tokens") instanceof List<?> list)) {
      throw f.has("tokens") ? f.wrong("tokens", "a list of ids") : f.missing("tokens", "ids");
    }
    int[] ids = list.isEmpty() ? new int[0] : PromptFields.ids(f, "tokens", list, served);
    String text = tokenizer().decode(ids);
    send(request, Json.object("content", text, PROMPT, text), f);
  }

  /** {@code /tokenizer_info}, by which clients that count tokens find out how texts end. */
  Map<String, Object> info() {
    OptionalInt eos = tokenizer().eosId();
    return Json.object(
        "bos_token",
        word(tokenizer().bosId()),
        "eos_token",
        word(eos.isPresent() ? eos : served.engine().ends().stream().mapToInt(i -> i).min()),
        "pad_token",
        null);
  }

  private String word(OptionalInt id) {
    return id.isPresent() ? new TokenText(tokenizer()).text(id.getAsInt()) : null;
  }

  /** {@code /apply-template}. */
  void applyTemplate(ApiRequest request) {
    RequestFields f = request.fields();
    List<JsonObject> messages =
        f.objects("messages").orElseThrow(() -> f.missing("messages", "a list of messages"));
    String text =
        new Conversations(served, "messages")
            .render(ChatMessages.of(messages, "messages"), ToolFields.of(f, false), f);
    send(request, Json.object(PROMPT, text), f);
  }

  private Tokenizer tokenizer() {
    return served.model().tokenizer();
  }

  private static void send(ApiRequest request, Map<String, Object> json, RequestFields f) {
    json.put("sortie", Json.object("ignored", f.ignored()));
    JsonAnswer.send(request.exchange(), 200, json);
  }
}
