package dev.sortie.nn.text.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.BpeTrainer;
import dev.sortie.nn.text.SubwordTokenizer;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * The control tokens of the templates of models, cut at every place and spread over the texts of a
 * conversation: none of them comes together, and the template's own all stay.
 */
@Tag("any-kernels")
class ForgedTurnsContractTest {
  private static final Pattern CONTROL =
      Pattern.compile("<[|\uFF5C][^'\"<>{} ]*[|\uFF5C]>|</?s>|\\[/?[A-Z_]+\\]|<[a-z_]+:[a-z_]+>");

  private static final int SEEDS = 20;
  private static final LocalDateTime NOW = LocalDateTime.of(2026, 1, 2, 3, 4);

  /** A model's template with a tokenizer that has its control tokens. */
  private record Model(ChatTemplate template, SubwordTokenizer tokenizer, List<String> controls) {
    static Model of(JsonObject fixture) {
      String file = fixture.getString("file");
      String source = ChatFixtures.text("templates/" + file);
      Map<String, String> specials = ChatFixtures.strings(fixture.getObject("specials"));
      TreeSet<String> controls = new TreeSet<>(specials.values());
      CONTROL.matcher(source).results().forEach(m -> controls.add(m.group()));
      List<String> roles = List.of("<|user|>", "<|assistant|>", "<|system|>");
      controls.addAll(roles.stream().filter(r -> source.contains("'<|'")).toList());
      List<String> all = List.copyOf(controls);
      BpeTrainer.Options options = new BpeTrainer.Options(256 + all.size() + 40, all, false, 2);
      SubwordTokenizer tokenizer =
          new BpeTrainer(options).add("the user says hello to the assistant " + source).train();
      return new Model(ChatTemplate.of(source, file, specials), tokenizer, all);
    }

    /** The control tokens of a conversation, and its text; empty where the template refuses it. */
    List<String> encoded(List<ChatMessage> messages, List<Map<String, Object>> tools) {
      ChatOptions options = new ChatOptions(true, tools, Map.of(), () -> NOW);
      String text;
      try {
        text = template.render(messages, options);
      } catch (InputException e) {
        return List.of();
      }
      int[] ids = template.encode(messages, options, tokenizer);
      assertThat(tokenizer.decode(ids, true)).isEqualTo(text);
      return Arrays.stream(ids)
          .filter(tokenizer::isSpecial)
          .mapToObj(id -> tokenizer.token(id).orElseThrow())
          .toList();
    }
  }

  /** Texts of a conversation, and how it is made of them. */
  private enum Shape {
    PARTS {
      @Override
      List<ChatMessage> messages(List<String> texts) {
        List<Object> parts = new ArrayList<>();
        texts.forEach(t -> parts.add(Map.of("type", "text", "text", t)));
        return List.of(new ChatMessage(map("role", "user", "content", parts)));
      }
    },
    MESSAGES {
      @Override
      List<ChatMessage> messages(List<String> texts) {
        List<ChatMessage> messages = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
          messages.add(ChatMessage.of(i % 2 == 0 ? "user" : "assistant", texts.get(i)));
        }
        if (texts.size() % 2 == 0) {
          messages.add(ChatMessage.of("user", "hello"));
        }
        return messages;
      }
    },
    SYSTEM_AND_USER {
      @Override
      List<ChatMessage> messages(List<String> texts) {
        return List.of(
            ChatMessage.of("system", texts.getFirst()),
            ChatMessage.of("user", String.join("", texts.subList(1, texts.size()))));
      }
    },
    REASONING {
      @Override
      List<ChatMessage> messages(List<String> texts) {
        return List.of(
            ChatMessage.of("user", "hello"),
            new ChatMessage(
                map(
                    "role",
                    "assistant",
                    "reasoning",
                    texts.getFirst(),
                    "content",
                    String.join("", texts.subList(1, texts.size())))),
            ChatMessage.of("user", texts.getLast()));
      }
    },
    CALLS {
      @Override
      List<ChatMessage> messages(List<String> texts) {
        Map<String, Object> arguments = map("city", texts.getFirst(), "x" + texts.getLast(), 1L);
        Map<String, Object> function = map("name", texts.getLast(), "arguments", arguments);
        return List.of(
            ChatMessage.of("user", "hello"),
            new ChatMessage(
                map(
                    "role",
                    "assistant",
                    "content",
                    texts.getFirst(),
                    "tool_calls",
                    List.of(map("type", "function", "id", "call00001", "function", function)))),
            new ChatMessage(
                map("role", "tool", "content", texts.getLast(), "tool_call_id", "call00001")),
            ChatMessage.of("user", texts.getFirst()));
      }
    };

    abstract List<ChatMessage> messages(List<String> texts);

    List<Map<String, Object>> tools(List<String> texts) {
      return this != CALLS
          ? List.of()
          : List.of(
              map(
                  "type",
                  "function",
                  "function",
                  map(
                      "name",
                      texts.getFirst(),
                      "description",
                      texts.getLast(),
                      "parameters",
                      map(
                          "type",
                          "object",
                          "properties",
                          map("p" + texts.getFirst(), map("type", "string", "description", "d")),
                          "required",
                          List.of("p" + texts.getFirst())))));
    }

    private static Map<String, Object> map(Object... pairs) {
      Map<String, Object> map = new LinkedHashMap<>();
      for (int i = 0; i < pairs.length; i += 2) {
        map.put((String) pairs[i], pairs[i + 1]);
      }
      return map;
    }
  }

  @TestFactory
  Stream<DynamicTest> noTokenComesTogether() {
    return ChatFixtures.objects("templates.json").stream()
        .map(
            fixture ->
                DynamicTest.dynamicTest(
                    fixture.getString("file"), () -> assertNoneComesTogether(Model.of(fixture))));
  }

  private static void assertNoneComesTogether(Model model) {
    int rendered = 0;
    for (Shape shape : Shape.values()) {
      for (String control : model.controls) {
        for (int cut = 1; cut < control.length(); cut++) {
          rendered += assertForgesNothing(model, shape, cutAt(control, cut));
        }
      }
      for (int seed = 0; seed < SEEDS; seed++) {
        rendered += assertForgesNothing(model, shape, cutAnywhere(model, new Random(seed)));
      }
    }
    assertThat(rendered).as("conversations that the template takes").isGreaterThan(100);
  }

  private static List<String> cutAt(String control, int cut) {
    return List.of(control.substring(0, cut), control.substring(cut));
  }

  /** A few tokens in up to four texts, with white space that templates take away. */
  private static List<String> cutAnywhere(Model model, Random random) {
    StringBuilder text = new StringBuilder("a");
    for (int i = 0; i < 3; i++) {
      text.append(model.controls.get(random.nextInt(model.controls.size())));
      text.append(random.nextBoolean() ? "" : random.nextBoolean() ? "b" : "</think>");
    }
    List<String> texts = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < 3; i++) {
      int to = from + 1 + random.nextInt(text.length() - from - 1 - (2 - i));
      texts.add(text.substring(from, to) + (random.nextInt(3) == 0 ? " \n" : ""));
      from = to;
    }
    texts.add(text.substring(from));
    return texts;
  }

  /** 1, or 0 where the template does not take such a conversation. */
  private static int assertForgesNothing(Model model, Shape shape, List<String> texts) {
    List<String> harmless =
        texts.stream().map(t -> t.contains("</think>") ? "x</think>y" : "x").toList();
    List<String> expected = model.encoded(shape.messages(harmless), shape.tools(harmless));
    List<String> found = model.encoded(shape.messages(texts), shape.tools(texts));
    if (expected.isEmpty() || found.isEmpty()) {
      return 0;
    }
    assertThat(found).as("%s of %s", shape, texts).isEqualTo(expected);
    return 1;
  }
}
