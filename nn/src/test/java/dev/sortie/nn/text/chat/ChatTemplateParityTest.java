package dev.sortie.nn.text.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.jinja.Template;
import dev.sortie.nn.text.jinja.TemplateLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The same texts as transformers, from real templates and from small ones for each construct. */
@Tag("any-kernels")
class ChatTemplateParityTest {
  private static final LocalDateTime NOW = LocalDateTime.of(2025, 3, 4, 15, 6, 7);
  private static final Map<String, String> SPECIALS =
      Map.of("bos_token", "<s>", "eos_token", "</s>", "unk_token", "<unk>", "pad_token", "<pad>");

  @TestFactory
  Stream<DynamicTest> realTemplatesRenderAsInTransformers() {
    JsonObject renderings = ChatFixtures.object("renderings.json");
    return ChatFixtures.objects("templates.json").stream()
        .map(
            t -> {
              String file = t.getString("file");
              ChatTemplate template =
                  ChatTemplate.of(
                      ChatFixtures.text("templates/" + file),
                      file,
                      ChatFixtures.strings(t.getObject("specials")));
              return DynamicTest.dynamicTest(
                  file, () -> assertRenders(template, renderings.getObject(file)));
            });
  }

  /** By hand, on templates whose licence keeps them out of here: see make_fixtures.py. */
  @TestFactory
  Stream<DynamicTest> templatesOfAnyFolderRenderAsInTransformers() throws IOException {
    String named = System.getenv("SORTIE_CHAT_TEMPLATES");
    if (named == null) {
      return Stream.of(
          DynamicTest.dynamicTest(
              "no folder", () -> assumeTrue(false, "SORTIE_CHAT_TEMPLATES names no folder")));
    }
    Path folder = Path.of(named);
    JsonObject renderings = ChatFixtures.parse(Files.readString(folder.resolve("renderings.json")));
    return renderings.fields().keySet().stream()
        .map(
            file ->
                DynamicTest.dynamicTest(
                    file,
                    () -> {
                      String source = Files.readString(folder.resolve(file));
                      JsonObject expected = renderings.getObject(file);
                      ChatTemplate template;
                      try {
                        template = ChatTemplate.of(source, file, SPECIALS);
                      } catch (InputException e) {
                        assertThat(expected.fields().values())
                            .as(e.getMessage())
                            .containsOnlyNulls();
                        return;
                      }
                      assertRenders(template, expected);
                    }));
  }

  private static void assertRenders(ChatTemplate template, JsonObject expected) {
    List<JsonObject> conversations = ChatFixtures.objects("conversations.json");
    assertThat(conversations).hasSizeGreaterThanOrEqualTo(8);
    for (JsonObject conversation : conversations) {
      String name = conversation.getString("name");
      assertThat(expected.contains(name)).as(name).isTrue();
      List<ChatMessage> messages =
          conversation.getObjects("messages").stream()
              .map(m -> new ChatMessage(PlainData.map(m)))
              .toList();
      List<Map<String, Object>> tools =
          conversation.has("tools")
              ? conversation.getObjects("tools").stream().map(PlainData::map).toList()
              : List.of();
      Map<String, Object> variables =
          conversation.has("variables")
              ? PlainData.map(conversation.getObject("variables"))
              : Map.of();
      ChatOptions options =
          new ChatOptions(
              conversation.getBoolean("add_generation_prompt"), tools, variables, () -> NOW);
      assertThat(rendered(template, messages, options))
          .as(name)
          .isEqualTo(expected.fields().get(name));
    }
  }

  /** The text, or null where the template fails or refuses. */
  private static String rendered(
      ChatTemplate template, List<ChatMessage> messages, ChatOptions options) {
    try {
      return template.render(messages, options);
    } catch (InputException e) {
      assertThat(e).hasMessageContaining(": line ");
      return null;
    }
  }

  @Test
  void smallTemplatesRenderAsInTransformers() {
    List<JsonObject> snippets = ChatFixtures.objects("snippets.json");
    assertThat(snippets).hasSizeGreaterThan(300);
    org.assertj.core.api.SoftAssertions softly = new org.assertj.core.api.SoftAssertions();
    for (JsonObject snippet : snippets) {
      String template = snippet.getString("template");
      Map<String, Object> context = PlainData.map(snippet.getObject("context"));
      String output;
      try {
        output =
            Template.parse("snippet", template, TemplateLimits.DEFAULT).render(context, () -> NOW);
      } catch (InputException e) {
        assertThat(e).hasMessageStartingWith("snippet: line ");
        output = snippet.has("output") ? e.getMessage() : null;
      }
      softly.assertThat(output).as(template).isEqualTo(snippet.fields().get("output"));
    }
    softly.assertAll();
  }
}
