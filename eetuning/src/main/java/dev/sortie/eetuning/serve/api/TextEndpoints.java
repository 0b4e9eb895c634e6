package dev.sortie.eetuning.serve.api;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Texts to ids and back, and conversations to texts: what needs the model's files and no pass. */
final class TextEndpoints {
  private final ServedModel served;

  TextEndpoints(ServedModel served) {
    this.served = served;
  }

  /** {@code /tokenize}. */
  void tokenize(ApiRequest request) {
    RequestFields f = request.fields();
    String text =
        f.string("content")
            .or(() -> f.string("prompt"))
            .orElseThrow(() -> f.missing("content", "a text"));
    EncodeOptions options = new EncodeOptions(f.flag("add_special"), f.flag("parse_special"));
    boolean pieces = f.flag("with_pieces");
    int[] ids;
    try {
      ids = tokenizer().encode(text, options);
    } catch (InputException e) {
      throw ApiError.invalid("content", e.getMessage());
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
    send(request, Json.object("content", tokenizer().decode(ids)), f);
  }

  /** {@code /apply-template}. */
  void applyTemplate(ApiRequest request) {
    RequestFields f = request.fields();
    List<JsonObject> messages =
        f.objects("messages").orElseThrow(() -> f.missing("messages", "a list of messages"));
    String text =
        new Conversations(served, "messages")
            .render(ChatMessages.of(messages, "messages"), ToolFields.of(f), f);
    send(request, Json.object("prompt", text), f);
  }

  private Tokenizer tokenizer() {
    return served.model().tokenizer();
  }

  private static void send(ApiRequest request, Map<String, Object> json, RequestFields f) {
    json.put("sortie", Json.object("ignored", f.ignored()));
    JsonAnswer.send(request.exchange(), 200, json);
  }
}
