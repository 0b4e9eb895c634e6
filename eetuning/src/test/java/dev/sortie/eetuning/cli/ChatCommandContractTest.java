package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Conversations on the command line: {@code chat}, and {@code generate --messages}. */
class ChatCommandContractTest {
  private static final String TEMPLATE =
      "{% for m in messages %}{% if m.role == 'oracle' %}{{ raise_exception('no oracles') }}{% endif %}"
          + "{{ m.role[0] }}:{{ m.content }}<|endoftext|>{% endfor %}{% if shout %}!{% endif %}"
          + "{% if add_generation_prompt %}a:{% endif %}";

  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static Path model;
  private static Path mute;

  @BeforeAll
  static void makeModel() throws IOException {
    model = TinyModel.write(shared.resolve("model"), 1);
    mute = TinyModel.write(shared.resolve("mute"), 1);
    Files.writeString(model.resolve("chat_template.jinja"), TEMPLATE);
  }

  private static CommandLineRun chat(String lines, Object... more) {
    InputStream real = System.in;
    System.setIn(new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8)));
    try {
      boolean given = Arrays.asList(more).contains("--max-tokens");
      Stream<Object> few = given ? Stream.of() : Stream.of("--max-tokens", 4);
      return run(model, "chat", Stream.concat(few, Arrays.stream(more)));
    } finally {
      System.setIn(real);
    }
  }

  private static CommandLineRun run(Path of, String command, Stream<Object> more) {
    Stream<Object> first = Stream.of(command, "--threads", 1, "--model", of, "--ignore-eos");
    return CommandLineRun.of(
        Stream.concat(first, more).map(Object::toString).toArray(String[]::new));
  }

  private CommandLineRun generate(Path of, String messages, Object... more) throws IOException {
    Path file = Files.writeString(temp.resolve("messages.json"), messages);
    Stream<Object> first = Stream.of("--messages", file, "--max-tokens", 4);
    return run(of, "generate", Stream.concat(first, Arrays.stream(more)));
  }

  private static List<JsonObject> answers(CommandLineRun run) {
    return run.succeeded()
        .out()
        .lines()
        .map(line -> Json.parse("standard output", line, JsonLimits.DATA))
        .toList();
  }

  private static List<Object> ids(JsonObject answer) {
    return answer.getObjects("tokens").stream().map(t -> t.fields().get("id")).toList();
  }

  private JsonObject generated(String messages, Object... more) throws IOException {
    Stream<Object> json = Stream.concat(Arrays.stream(more), Stream.of("--json"));
    return generate(model, messages, json.toArray()).json();
  }

  @Test
  void messagesAreWrittenDownByTheTemplate() throws IOException {
    JsonObject json = generated("[{\"role\": \"user\", \"content\": \"The hen\"}]");
    String rendered = "u:The hen<|endoftext|>a:";
    JsonObject tokens =
        CommandLineRun.of(
                "tokenize",
                "--model",
                model.toString(),
                "--text",
                rendered,
                "--json",
                "--parse-special")
            .json();
    assertThat(json.getInts("prompt_ids", 0, 400)).isEqualTo(tokens.getInts("ids", 0, 400));
    assertThat(json.getObjects("tokens")).hasSize(4);
    CommandLineRun text = generate(model, "[{\"role\": \"user\", \"content\": \"The hen\"}]");
    assertThat(text.succeeded().out()).as("the answer alone").doesNotContain("The hen");
  }

  @Test
  void theTemplateMayBeGivenAndHasVariables() throws IOException {
    String hen = "[{\"role\": \"user\", \"content\": \"The hen\"}]";
    List<Integer> plain = generated(hen).getInts("prompt_ids", 0, 400);
    List<Integer> loud =
        generated(hen, "--template-variable", "shout=true").getInts("prompt_ids", 0, 400);
    assertThat(loud).hasSizeGreaterThan(plain.size());
    assertThat(generated(hen, "--template-variable", "shout=false").getInts("prompt_ids", 0, 400))
        .isEqualTo(plain);
    Path other = Files.writeString(temp.resolve("other.jinja"), TEMPLATE);
    JsonObject given = generate(mute, hen, "--chat-template", other, "--json").json();
    assertThat(given.getInts("prompt_ids", 0, 400)).isEqualTo(plain);
    Path tools = Files.writeString(temp.resolve("tools.json"), "[{\"name\": \"look\"}]");
    Files.writeString(other, "{{ tools[0].name }}");
    JsonObject offered =
        generate(mute, hen, "--chat-template", other, "--tools", tools, "--json").json();
    assertThat(offered.getInts("prompt_ids", 0, 400)).isNotEqualTo(plain).isNotEmpty();
  }

  @Test
  void wrongConversationsAreRefused() throws IOException {
    generate(mute, "[{\"role\": \"user\", \"content\": \"x\"}]")
        .assertRefused(
            1, mute.toString(), "no chat template", "chat_template.jinja", "--chat-template");
    generate(model, "[{\"content\": \"x\"}]")
        .assertRefused(1, "messages.json", "[0].role", "missing");
    generate(model, "{\"role\": \"user\"}").assertRefused(1, "messages.json", "not a list");
    generate(model, "[{\"role\": \"oracle\", \"content\": \"x\"}]")
        .assertRefused(1, "chat_template.jinja: line 1, column", "no oracles");
    generate(model, "[{\"role\": \"user\", \"content\": \"x\"}]", "--prompt", "y")
        .assertRefused(2, "--prompt", "--messages", "one of");
    generate(model, "[{\"role\": \"user\", \"content\": \"x\"}]", "--template-variable", "tools=1")
        .assertRefused(1, "'tools'");
    Path deaf = Files.writeString(temp.resolve("deaf.jinja"), "{{ messages[0].content }}");
    Path tools = Files.writeString(temp.resolve("offered.json"), "[{\"name\": \"look\"}]");
    generate(
            model,
            "[{\"role\": \"user\", \"content\": \"x\"}]",
            "--chat-template",
            deaf,
            "--tools",
            tools)
        .assertRefused(1, "--tools " + tools, deaf.toString(), "does not write tools down");
    generate(model, "[{\"role\": \"user\", \"content\": \"" + "hen ".repeat(60) + "\"}]")
        .assertRefused(1, "context of 48");
  }

  @Test
  void eachLineIsAnsweredWithTheTurnsBeforeInMind() throws IOException {
    List<JsonObject> answers = answers(chat("The hen\nThe fox\n", "--json"));
    assertThat(answers).hasSize(2);
    JsonObject first = answers.getFirst();
    assertThat(first.fields().keySet())
        .contains(
            "role", "content", "finish", "prompt_tokens", "reused_tokens", "tokens", "timing");
    assertThat(first.getInt("reused_tokens", 0, 48)).isZero();
    assertThat(answers.getLast().getInt("reused_tokens", 1, 48)).isPositive();
    String said = Json.compact(first.getString("content"));
    JsonObject alone =
        generated(
            "[{\"role\": \"user\", \"content\": \"The hen\"}, {\"role\": \"assistant\", \"content\": "
                + said
                + "}, {\"role\": \"user\", \"content\": \"The fox\"}]");
    assertThat(ids(answers.getLast())).isEqualTo(ids(alone));
    assertThat(answers.getLast().getInt("prompt_tokens", 1, 48))
        .isEqualTo(alone.getInts("prompt_ids", 0, 400).size());
  }

  @Test
  void commandsBeginAnewOrEnd() throws IOException {
    List<JsonObject> answers =
        answers(
            chat(
                "The hen\n/clear\nThe hen\n\n/system Sing\nThe hen\n/clear\nThe hen\n/system\r\nThe hen\n/exit\nThe fox\n",
                "--json"));
    assertThat(answers).hasSize(5);
    List<Integer> lengths = answers.stream().map(a -> a.getInt("prompt_tokens", 1, 48)).toList();
    assertThat(lengths.get(1)).isEqualTo(lengths.get(0)).isEqualTo(lengths.get(4));
    assertThat(lengths.get(2)).isEqualTo(lengths.get(3)).isGreaterThan(lengths.get(0));
    assertThat(ids(answers.get(1))).isEqualTo(ids(answers.get(0))).isEqualTo(ids(answers.get(4)));
    JsonObject sung = answers(chat("The hen", "--json", "--system", "Sing")).getFirst();
    assertThat(ids(sung)).isEqualTo(ids(answers.get(2)));
  }

  /** Bytes that come one by one, as keys do. */
  private static CommandLineRun typed(Path of, String keys, Object... more) {
    InputStream real = System.in;
    System.setIn(
        new ByteArrayInputStream(keys.getBytes(StandardCharsets.UTF_8)) {
          @Override
          public int available() {
            return 0;
          }
        });
    try {
      return run(
          of,
          "chat",
          Stream.concat(Stream.of("--live", "--json", "--max-tokens", 4), Arrays.stream(more)));
    } finally {
      System.setIn(real);
    }
  }

  private static List<Object> trace(JsonObject answer) {
    return answer.getObjects("tokens").stream().<Object>map(JsonObject::fields).toList();
  }

  @Test
  void aMessageThatIsReadWhileItIsTypedIsAnsweredAsAWhole() throws IOException {
    Path longer = TinyModel.write(temp.resolve("longer"), 3, 16, 290, 300, 1);
    Files.writeString(longer.resolve("chat_template.jinja"), TEMPLATE);
    List<JsonObject> answers =
        answers(
            typed(
                longer,
                "The hem\u007fn sat under the treee\b and sang of me\u0017foxes  \u0017\n"
                    + "/clearly\u007f\u007f\n"
                    + "/system Sing\u0015/system Be a hen\n"
                    + "Where is the fox, \u00e9\u007fthe hill\u001b[D and the tree?\r\n"
                    + "Oh",
                "--system",
                "Be a fox, and run over the hill"));
    assertThat(answers).hasSize(3);
    String fox =
        "[{\"role\": \"system\", \"content\": \"Be a fox, and run over the hill\"},"
            + " {\"role\": \"user\", \"content\": \"The hen sat under the tree and sang of \"}]";
    String hen =
        "[{\"role\": \"system\", \"content\": \"Be a hen\"},"
            + " {\"role\": \"user\", \"content\": \"Where is the fox, the hill and the tree?\"}";
    String oh =
        ", {\"role\": \"assistant\", \"content\": "
            + Json.compact(answers.get(1).getString("content"))
            + "}, {\"role\": \"user\", \"content\": \"Oh\"}";
    List<String> whole = List.of(fox, hen + "]", hen + oh + "]");
    for (int i = 0; i < whole.size(); i++) {
      JsonObject answer = answers.get(i);
      assertThat(trace(answer)).isEqualTo(trace(generate(longer, whole.get(i), "--json").json()));
      assertThat(answer.getObject("timing").getDouble("first_token_seconds", 0, 600)).isPositive();
    }
    assertThat(typed(longer, "").succeeded().out()).isEmpty();
    typed(model, "/bogus\n").assertRefused(1, "/bogus", "/clear");
    typed(model, "hen ".repeat(60)).assertRefused(1, "room for 48", "/clear: it is as long as");
  }

  @Test
  void textIsTheAnswersAlone() {
    CommandLineRun run = chat("The hen\nThe fox\n").succeeded();
    List<String> contents =
        answers(chat("The hen\nThe fox\n", "--json")).stream()
            .map(a -> a.getString("content"))
            .toList();
    assertThat(run.out())
        .isEqualTo(
            contents.get(0) + System.lineSeparator() + contents.get(1) + System.lineSeparator());
    assertThat(run.err()).isEmpty();
    assertThat(chat("").succeeded().out()).isEmpty();
  }

  @Test
  void whatCannotBeAnsweredIsRefused() {
    chat("/bogus\n").assertRefused(1, "/bogus", "/clear");
    chat("hen ".repeat(60)).assertRefused(1, "room for 48", "/clear: it is as long as");
    chat("The hen", "--context", 4)
        .assertRefused(1, "room for 4;", "give a larger --context, at most 48");
    chat("The hen", "--context", 1).assertRefused(2, "--context 1");
    run(mute, "chat", Stream.of()).assertRefused(1, "no chat template");
  }

  @Test
  void anAnswerEndsWhereTheConversationHasNoRoomLeft() {
    JsonObject answer =
        answers(chat("The hen", "--json", "--max-tokens", 99, "--context", 20)).getFirst();
    int prompt = answer.getInt("prompt_tokens", 1, 19);
    assertThat(answer.getObjects("tokens")).hasSize(20 - prompt);
    assertThat(answer.getString("finish")).isEqualTo("length");
  }
}
