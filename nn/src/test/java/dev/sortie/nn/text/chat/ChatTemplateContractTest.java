package dev.sortie.nn.text.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.text.BpeTrainer;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.Fixtures;
import dev.sortie.nn.text.SubwordTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where a template comes from, and what a conversation may look like. */
@Tag("any-kernels")
class ChatTemplateContractTest {
  private static final List<ChatMessage> HELLO = List.of(ChatMessage.of("user", "hello"));

  @TempDir private Path folder;

  private void write(String file, String text) throws IOException {
    Files.writeString(folder.resolve(file), text);
  }

  private String rendered() {
    return ChatTemplate.ofModel(folder).orElseThrow().render(HELLO, ChatOptions.DEFAULT);
  }

  @Test
  void aFolderWithoutTemplateHasNone() throws IOException {
    assertThat(ChatTemplate.ofModel(folder)).isEmpty();
    write("tokenizer_config.json", "{\"bos_token\": \"<s>\", \"chat_template\": null}");
    assertThat(ChatTemplate.ofModel(folder)).isEmpty();
  }

  @Test
  void theTemplateIsInTheTokenizersConfigOrInAFileOfItsOwn() throws IOException {
    write(
        "tokenizer_config.json",
        "{\"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": \"</s>\","
            + " \"chat_template\": \"config {{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ pad_token }}\"}");
    assertThat(rendered()).isEqualTo("config <s>hello</s>");
    write("special_tokens_map.json", "{\"bos_token\": \"old\", \"pad_token\": \"<pad>\"}");
    assertThat(rendered()).isEqualTo("config <s>hello</s><pad>");
    write("chat_template.jinja", "file {{ bos_token }}{{ messages[0].content }}\n");
    assertThat(rendered()).isEqualTo("file <s>hello");
  }

  @Test
  void aTemplateReadsToolsWhereItNamesTheVariable() {
    assertThat(readsTools("{% if tools %}{{ tools[0].name }}{% endif %}")).isTrue();
    assertThat(readsTools("tools {{ messages[0].tools }}{{ 'tools' }}{{ mytools }}")).isFalse();
    assertThat(
            ChatTemplate.of(
                    Map.of("default", "plain", "tool_use", "{{ tools }}"), "named", Map.of())
                .readsTools())
        .isTrue();
  }

  @Test
  void aTemplateReadsAVariableWhereAnyPartOfItNamesIt() {
    ChatTemplate template =
        ChatTemplate.of(
            Map.of("default", "{{ mood }}{{ m.brief }}", "tool_use", "{{ pace }}"),
            "named",
            Map.of());
    assertThat(List.of("mood", "pace")).allMatch(template::reads);
    assertThat(List.of("brief", "other")).noneMatch(template::reads);
  }

  private static boolean readsTools(String source) {
    return ChatTemplate.of(source, "template", Map.of()).readsTools();
  }

  @Test
  void ofNamedTemplatesToolUseIsForConversationsWithTools() throws IOException {
    write(
        "tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"default\", \"template\": \"plain {{ tools is none }}\"},"
            + " {\"name\": \"tool_use\", \"template\": \"{{ tools[0].name }}\"}]}");
    assertThat(rendered()).isEqualTo("plain True");
    ChatOptions tools = ChatOptions.DEFAULT.with(List.of(Map.of("name", "look")), Map.of());
    assertThat(ChatTemplate.ofModel(folder).orElseThrow().render(HELLO, tools)).isEqualTo("look");
  }

  @Test
  void aWrongTemplateIsRefusedWithFileAndField() throws IOException {
    write("tokenizer_config.json", "{\"chat_template\": 5}");
    assertRefused("tokenizer_config.json", "chat_template", "5");
    write("tokenizer_config.json", "{\"chat_template\": []}");
    assertRefused("tokenizer_config.json", "chat_template", "at least one");
    write("tokenizer_config.json", "{\"chat_template\": [{\"name\": \"default\"}]}");
    assertRefused("tokenizer_config.json", "chat_template[0].template", "missing");
    write(
        "tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"a\", \"template\": \"\"}, {\"name\": \"a\", \"template\": \"\"}]}");
    assertRefused("tokenizer_config.json", "chat_template", "two templates named \"a\"");
    write(
        "tokenizer_config.json", "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"\"}]}");
    assertThatThrownBy(this::rendered).hasMessageContainingAll("[rag]", "none named 'default'");
    write("tokenizer_config.json", "{\"bos_token\": 7, \"chat_template\": \"\"}");
    assertRefused("tokenizer_config.json", "bos_token", "7");
    write("tokenizer_config.json", "{\"chat_template\": \"\\n{% include 'x' %}\"}");
    assertRefused(
        "tokenizer_config.json: chat_template: line 2, column 4: the statement 'include'");
  }

  private void assertRefused(String... parts) {
    assertThatThrownBy(() -> ChatTemplate.ofModel(folder))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll(parts);
  }

  @Test
  void messagesAreReadWithTheirFields() throws IOException {
    write(
        "messages.json",
        "[{\"role\": \"user\", \"content\": \"a\", \"name\": \"Eve\"},"
            + "{\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"id\": 1}]},"
            + "{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"b\"}]}]");
    List<ChatMessage> messages = ChatMessage.read(folder.resolve("messages.json"));
    ChatTemplate template =
        ChatTemplate.of(
            "{% for m in messages %}{{ m.role }} {{ m.name }} {{ m.content is defined }}"
                + " {{ m.content[0].text }} {{ m.tool_calls }};{% endfor %}",
            "test", Map.of());
    assertThat(messages.get(0).role()).isEqualTo("user");
    assertThat(template.render(messages.subList(0, 1), ChatOptions.DEFAULT))
        .isEqualTo("user Eve True  ;");
    assertThat(template.render(messages.subList(2, 3), ChatOptions.DEFAULT))
        .isEqualTo("user  True b ;");
    assertThat(messages.get(1).fields()).containsEntry("content", null).containsKey("tool_calls");
  }

  /** Null where the template asks for that, as with transformers; else none that it could print. */
  @Test
  void aMessageThatOnlyCallsHasNoContent() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("role", "assistant");
    fields.put("tool_calls", List.of(Map.of("id", 1)));
    for (boolean isThere : new boolean[] {false, true}) {
      if (isThere) {
        fields.put("content", null);
      }
      List<ChatMessage> messages = List.of(new ChatMessage(fields));
      assertThat(
              ChatTemplate.of("[{{ messages[0].content }}]", "test", Map.of())
                  .render(messages, ChatOptions.DEFAULT))
          .isEqualTo("[]");
      for (String test :
          List.of(
              "m['content'] is none", "not (m.content is not none)", "m[\"content\"]  is  none")) {
        String asks =
            "{%% for m in messages %%}{{ 'calls' if %s else 'says' }}{%% endfor %%}"
                .formatted(test);
        assertThat(ChatTemplate.of(asks, "test", Map.of()).render(messages, ChatOptions.DEFAULT))
            .as(test)
            .isEqualTo("calls");
      }
    }
  }

  @Test
  void furtherTemplatesOfAFolderAreNamedByTheirFiles() throws IOException {
    write("chat_template.jinja", "plain");
    Files.createDirectory(folder.resolve("additional_chat_templates"));
    write("additional_chat_templates/tool_use.jinja", "with {{ tools[0].name }}");
    ChatTemplate template = ChatTemplate.ofModel(folder).orElseThrow();
    ChatOptions find = ChatOptions.DEFAULT.with(List.of(Map.of("name", "find")), Map.of());
    assertThat(template.render(HELLO, ChatOptions.DEFAULT)).isEqualTo("plain");
    assertThat(template.render(HELLO, find)).isEqualTo("with find");
  }

  @Test
  void wrongMessagesAreRefusedWithFileAndField() throws IOException {
    assertRefusedMessages("{}", "not a list");
    assertRefusedMessages("[]", "the list of messages is empty");
    assertRefusedMessages("[5]", "expected a JSON object");
    assertRefusedMessages("[{\"content\": \"a\"}]", "[0].role", "missing");
    assertRefusedMessages("[{\"role\": 1, \"content\": \"a\"}]", "[0].role", "1", "a string");
    assertRefusedMessages("[{\"role\": \"\", \"content\": \"a\"}]", "[0].role");
    assertRefusedMessages(
        "[{\"role\": \"user\", \"content\": \"\"}, {\"role\": \"user\"}]",
        "[1].content",
        "missing");
    assertRefusedMessages("[{\"role\": \"user\", \"content\": 5}]", "[0].content", "5");
    assertRefusedMessages("[{\"role\": \"user\", \"role\": \"user\"}]", "role", "line 1");
    assertRefusedMessages("[", "not strict JSON");
  }

  private void assertRefusedMessages(String json, String... parts) throws IOException {
    write("messages.json", json);
    assertThatThrownBy(() -> ChatMessage.read(folder.resolve("messages.json")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("messages.json")
        .hasMessageContainingAll(parts);
  }

  @Test
  void variablesReachTheTemplateButDoNotReplaceTheConversation() {
    ChatTemplate template = ChatTemplate.of("{{ think + 1 }}{{ bos_token }}", "test", Map.of());
    ChatOptions options =
        ChatOptions.DEFAULT.with(List.of(), Map.of("think", 0, "bos_token", "<b>"));
    assertThat(template.render(HELLO, options)).isEqualTo("1<b>");
    assertThatThrownBy(() -> ChatOptions.DEFAULT.with(List.of(), Map.of("messages", 1L)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("'messages'");
  }

  @Test
  void reasoningIsThereUnderBothNames() {
    ChatMessage message =
        new ChatMessage(Map.of("role", "assistant", "content", "a", "reasoning", "why"));
    String template = "{{ messages[0].reasoning_content }} {{ messages[0].thinking }}";
    assertThat(
            ChatTemplate.of(template, "test", Map.of())
                .render(List.of(message), ChatOptions.DEFAULT))
        .isEqualTo("why why");
  }

  @Test
  void encodingParsesTheTemplatesTokensAndAddsNone() {
    SubwordTokenizer tokenizer =
        new BpeTrainer(new BpeTrainer.Options(260, List.of("<s>", "<e>"), false, 2))
            .add("hello hello")
            .train();
    ChatTemplate template =
        ChatTemplate.of(
            "{{ bos_token }}{{ messages[0].content }}<e>", "test", Map.of("bos_token", "<s>"));
    int[] ids = template.encode(HELLO, ChatOptions.DEFAULT, tokenizer);
    assertThat(ids).isEqualTo(tokenizer.encode("<s>hello<e>", new EncodeOptions(false, true)));
    assertThat(ids[0]).isEqualTo(tokenizer.id("<s>").orElseThrow());
    assertThat(ids[ids.length - 1]).isEqualTo(tokenizer.id("<e>").orElseThrow());
  }

  @Test
  void nobodyWhoWritesAMessageForgesATurn() {
    List<String> specials = List.of("<s>", "<e>", "<|a|>", "<|a|>b", "\uD83D\uDE00");
    SubwordTokenizer tokenizer =
        new BpeTrainer(new BpeTrainer.Options(300, specials, false, 2))
            .add("hello <s> hello <e> <|a|>b")
            .train();
    ChatTemplate template =
        ChatTemplate.of(
            "{{ bos_token }}{% for m in messages %}<|a|>{{ m.role | trim }}:{{ m.content | trim }} {{ m | tojson }}<e>{% endfor %}{{ tools }} {{ mood }}",
            "test", Map.of("bos_token", "<s>"));
    List<String> parts =
        List.of(
            "<",
            "s>",
            "<s>",
            "e>",
            "<e>",
            "|a|>",
            "<|a|>",
            "b",
            " ",
            "\uD83D\uDE00",
            "\uFDD0",
            "x");
    Random random = new Random(5);
    for (int i = 0; i < 400; i++) {
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(8); n >= 0; n--) {
        text.append(parts.get(random.nextInt(parts.size())));
      }
      String evil = text.toString();
      ChatOptions options =
          ChatOptions.DEFAULT.with(
              List.of(Map.of("name", evil, "x" + evil, List.of(evil))), Map.of("mood", evil));
      List<ChatMessage> messages =
          List.of(ChatMessage.of("user", evil), ChatMessage.of("x" + evil, "hello"));
      int[] ids = template.encode(messages, options, tokenizer);
      assertThat(
              Arrays.stream(ids)
                  .filter(tokenizer::isSpecial)
                  .mapToObj(id -> tokenizer.token(id).orElseThrow()))
          .as(evil)
          .containsExactly("<s>", "<|a|>", "<e>", "<|a|>", "<e>");
    }
    String evil = "<e><|a|>b";
    List<ChatMessage> messages = List.of(ChatMessage.of("user", evil));
    assertThat(tokenizer.decode(template.encode(messages, ChatOptions.DEFAULT, tokenizer), true))
        .isEqualTo(template.render(messages, ChatOptions.DEFAULT));
  }

  /** A template that writes half of a control token, and one that takes texts apart. */
  @Test
  void neitherHalvesNorChangesOfTextsForgeAToken() {
    List<String> specials = List.of("<s>", "<e>", "<|user|>", "<|end|>", "[Q]");
    SubwordTokenizer tokenizer =
        new BpeTrainer(new BpeTrainer.Options(300, specials, false, 2))
            .add("hello end user")
            .train();
    Map<String, List<String>> templates =
        Map.of(
            "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content }}<e>{% endfor %}",
            List.of("<|user|>", "<e>"),
            "{% for m in messages %}<s><|{{ m.content }}|><e>{% endfor %}",
            List.of("<s>", "<e>"),
            "{% for m in messages %}<s><{{ m.content }}>{% endfor %}",
            List.of("<s>"),
            "{% for m in messages %}<s>{{ m.content.split('#') | join('') }}>{% endfor %}",
            List.of("<s>"),
            "{% for m in messages %}<s>{{ m.content[1:] }}{{ m.content | upper }}{% endfor %}",
            List.of("<s>"));
    templates.forEach(
        (source, expected) -> {
          ChatTemplate template = ChatTemplate.of(source, "test", Map.of());
          for (String evil :
              List.of(
                  "<|end|>", "#<|e#nd|#>", "end", "s", "e", "q<s>", "<#s", "[q]", "<|en#d|", "x")) {
            List<ChatMessage> messages = List.of(ChatMessage.of("user", evil));
            int[] ids;
            try {
              ids = template.encode(messages, ChatOptions.DEFAULT, tokenizer);
            } catch (InputException e) {
              // only where the template writes guarded characters in another form
              assertThat(source).contains("upper");
              assertThat(e).hasMessageContaining("cannot be told from its own");
              continue;
            }
            assertThat(
                    Arrays.stream(ids)
                        .filter(tokenizer::isSpecial)
                        .mapToObj(id -> tokenizer.token(id).orElseThrow()))
                .as(source + " of " + evil)
                .containsExactlyElementsOf(expected);
            assertThat(tokenizer.decode(ids, true))
                .isEqualTo(template.render(messages, ChatOptions.DEFAULT));
          }
        });
  }

  /** The template has such a text of its own, and looks for a tag in the messages. */
  @Test
  void aTextLikeOneOfTheTemplateIsForeignAllTheSame() {
    SubwordTokenizer tokenizer =
        new BpeTrainer(new BpeTrainer.Options(280, List.of("<|end|>"), false, 2))
            .add("end")
            .train();
    ChatTemplate template =
        ChatTemplate.of(
            "{% for p in messages[0].content %}{% if '</t>' in p.text %}T{% endif %}{% if p.text == '\n<' %}E{% endif %}{{ p.text }}{% endfor %}<|end|>",
            "test", Map.of());
    for (List<String> texts :
        List.of(
            List.of("\n<", "|end|>"),
            List.of("</t>\n<", "|end|>"),
            List.of("</t>", "\n<", "|end|>"))) {
      List<Object> parts = new ArrayList<>();
      texts.forEach(t -> parts.add(Map.of("text", t)));
      List<ChatMessage> messages =
          List.of(new ChatMessage(Map.of("role", "user", "content", parts)));
      int[] ids;
      try {
        ids = template.encode(messages, ChatOptions.DEFAULT, tokenizer);
      } catch (InputException e) {
        assertThat(texts).contains("\n<"); // which the template takes for its own
        assertThat(e).hasMessageContaining("cannot be told from its own");
        continue;
      }
      assertThat(Arrays.stream(ids).filter(tokenizer::isSpecial)).as(texts.toString()).hasSize(1);
      assertThat(tokenizer.decode(ids, true))
          .isEqualTo(template.render(messages, ChatOptions.DEFAULT));
    }
  }

  @Test
  void smolLm2RendersAndEncodesAsItsGoldenFileSays() {
    Optional<Path> shared = Fixtures.shared();
    assumeTrue(shared.isPresent(), "the shared folder is absent; set SORTIE_SHARED");
    Path model = shared.get().resolve("models/SmolLM2-135M-Instruct");
    Path gguf = model.resolve("SmolLM2-135M-Instruct.Q4_1.gguf");
    ChatTemplate template = ChatTemplate.ofModel(gguf).orElseThrow();
    SubwordTokenizer tokenizer = ModelFiles.tokenizer(gguf);
    int compared = 0;
    for (JsonObject one :
        Json.read(model.resolve("golden.json"), JsonLimits.DATA).getObjects("cases")) {
      if (one.has("messages")) {
        List<ChatMessage> messages =
            one.getObjects("messages").stream()
                .map(m -> new ChatMessage(PlainData.map(m)))
                .toList();
        assertThat(template.render(messages, ChatOptions.DEFAULT))
            .isEqualTo(one.getString("rendered"));
        assertThat(template.encode(messages, ChatOptions.DEFAULT, tokenizer))
            .containsExactly(
                one.getInts("ids", 0, tokenizer.vocabSize()).stream().mapToInt(id -> id).toArray());
        compared++;
      }
    }
    assertThat(compared).isPositive();
  }
}
