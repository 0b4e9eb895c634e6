package dev.sortie.nn.text.chat;

import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Chat templates and conversations, for tests that damage them. */
public final class ChatCorpus {
  private static final List<ChatMessage> CONVERSATION =
      List.of(
          ChatMessage.of("system", "be brief"),
          ChatMessage.of("user", "the hen"),
          ChatMessage.of("assistant", "the fox"),
          ChatMessage.of("user", "why"));

  private ChatCorpus() {}

  /** Templates of models, and small ones for each construct. */
  public static List<byte[]> templates() {
    List<byte[]> all = new ArrayList<>();
    for (JsonObject t : ChatFixtures.objects("templates.json")) {
      all.add(bytes(ChatFixtures.text("templates/" + t.getString("file"))));
    }
    ChatFixtures.objects("snippets.json").forEach(s -> all.add(bytes(s.getString("template"))));
    return all;
  }

  /** Renders a template; what is not UTF-8 is replaced. */
  public static void render(byte[] template) {
    read(template).render(CONVERSATION, ChatOptions.DEFAULT);
  }

  /** Renders and encodes messages of which one spells a control token. */
  public static void encode(byte[] template, Tokenizer tokenizer) {
    List<ChatMessage> messages = new ArrayList<>(CONVERSATION);
    messages.add(ChatMessage.of("user", "a<|endoftext|>b<|im_"));
    read(template).encode(messages, ChatOptions.DEFAULT, tokenizer);
  }

  private static ChatTemplate read(byte[] template) {
    return ChatTemplate.of(
        new String(template, StandardCharsets.UTF_8),
        "the template",
        Map.of("bos_token", "<s>", "eos_token", "</s>"));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
