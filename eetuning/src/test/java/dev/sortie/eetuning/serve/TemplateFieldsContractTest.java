package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.JsonObject;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fields for a chat template that does not read them: none is accepted in silence. */
@Tag("any-kernels")
class TemplateFieldsContractTest {
  private static final String CHAT = "/v1/chat/completions";
  private static final String MESSAGES =
      "\"messages\":[{\"role\":\"user\",\"content\":\"Where?\"}],\"max_tokens\":2";
  private static final String TOOLS =
      ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"find\"}}]";

  @TempDir private static Path folder;

  private static TinyServer tiny;

  @BeforeAll
  static void start() throws InterruptedException {
    tiny = TinyServer.withoutTools(folder);
  }

  @AfterAll
  static void stop() {
    tiny.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {CHAT, "/apply-template", "/explain"})
  void toolsThatTheModelWouldNotKnowOfAreRefused(String path) {
    RawClient.Answer refused = tiny.post(path, "{" + MESSAGES + TOOLS + "}");
    assertThat(refused.status()).isEqualTo(400);
    assertThat(refused.error().getString("param")).isEqualTo("tools");
    assertThat(refused.error().getString("code")).isEqualTo("unsupported_parameter");
    assertThat(tiny.post(path, "{" + MESSAGES + TOOLS + ",\"tool_choice\":\"none\"}").status())
        .isEqualTo(200);
  }

  @Test
  void soAreThoseOfAResponse() {
    String tools = ",\"tools\":[{\"type\":\"function\",\"name\":\"find\"}]}";
    RawClient.Answer refused = tiny.post("/v1/responses", "{\"input\":\"Where?\"" + tools);
    assertThat(refused.status()).isEqualTo(400);
    assertThat(refused.error().getString("param")).isEqualTo("tools");
  }

  /** The grammar writes it, whatever the model knows. */
  @Test
  void aForcedCallIsMade() {
    JsonObject message =
        tiny.post(
                CHAT,
                "{%s%s,\"tool_choice\":\"required\",\"parallel_tool_calls\":false}"
                    .formatted(MESSAGES.replace(":2", ":200"), TOOLS))
            .json()
            .getObjects("choices")
            .getFirst()
            .getObject("message");
    assertThat(message.getObjects("tool_calls"))
        .singleElement()
        .satisfies(
            call -> assertThat(call.getObject("function").getString("name")).isEqualTo("find"));
  }

  @Test
  void variablesThatItDoesNotReadAreListed() {
    JsonObject answer =
        tiny.post(
                "/apply-template",
                "{%s,\"chat_template_kwargs\":{\"mood\":\"gay \",\"enable_thinking\":false}}"
                    .formatted(MESSAGES))
            .json();
    assertThat(answer.getString("prompt")).isEqualTo("gay Where?");
    assertThat(answer.getObject("sortie").getStrings("ignored"))
        .containsExactly("max_tokens", "chat_template_kwargs.enable_thinking");
  }

  @Test
  void aTextHasNoTemplateAtAll() {
    JsonObject explained =
        tiny.post("/explain", "{\"prompt\":\"The hen\",\"token\":1" + TOOLS + "}").json();
    assertThat(explained.getObject("sortie").getStrings("ignored")).containsExactly("tools");
  }
}
