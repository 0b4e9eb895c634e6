package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A field of a request has its effect, or is refused or listed by its name. */
class RequestFieldsContractTest extends ServedContract {
  private static final String TEXT = "/v1/completions";
  private static final String CHAT = "/v1/chat/completions";

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          "max_completion_tokens":2,"max_tokens":3 | max_tokens
          "max_tokens":2,"stream_options":{"include_usage":true} | stream_options.include_usage
          "max_tokens":2,"sortie":{"strategy":"full","threshold":0.5,"policy":"agreement","patience":3} | sortie.threshold,sortie.policy,sortie.patience
          "max_tokens":2,"sortie":{"strategy":"full","exits":[1],"max_pending":3} | sortie.exits,sortie.max_pending
          "max_tokens":2,"sortie":{"strategy":"full","thresholds":{"1":0.5}} | sortie.thresholds
          "max_tokens":2,"sortie":{"patience":3} | sortie.patience
          "max_tokens":2,"sortie":{"threshold":0.5,"exits":[1],"patience":3} | sortie.patience
          "max_tokens":2,"sortie":{"policy":"agreement","patience":3} |
          """)
  void whatOtherFieldsLeaveWithoutEffectIsListed(String fields, String ignored) {
    RawClient.Answer answer =
        tiny.post(
            CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],%s}".formatted(fields));
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    assertThat(answer.json().getObject("sortie").getStrings("ignored"))
        .isEqualTo(ignored == null ? List.of() : List.of(ignored.split(",")));
  }

  @Test
  void fieldsWithoutEffectAreListed() {
    RawClient.Answer answer =
        tiny.post(
            CHAT,
            """
            {"messages":[{"role":"user","content":"Hi"}],"max_tokens":2,"user":"u","store":true,
             "metadata":{"a":"b"},"temprature":0,"service_tier":null,"stream_options":{"other":1},
             "sortie":{"unknown":1}}""");
    assertThat(answer.json().getObject("sortie").getStrings("ignored"))
        .containsExactlyInAnyOrder(
            "user", "store", "metadata", "temprature", "stream_options.other", "sortie.unknown");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          "response_format":{"type":"json_schema"}                  | response_format.json_schema
          "response_format":{"type":"json_schema","json_schema":{}} | response_format.json_schema.schema
          "response_format":{"type":"json_schema","json_schema":{"schema":{"not":{}}}} | response_format.json_schema.schema
          "response_format":{"type":"json_schema","json_schema":{"schema":true}} | response_format.json_schema.schema
          "response_format":{"type":"json_object","json_schema":{"name":"a"}} | response_format.json_schema.schema
          "response_format":{"type":"yaml"}                         | response_format.type
          "response_format":{}                                      | response_format.type
          "grammar":"root ::= a"                                    | grammar
          "grammar":"root ::= \\"a\\"","response_format":{"type":"json_object"} | grammar
          "grammar":"root ::= \\"a\\"","ignore_eos":true            | ignore_eos
          "tool_choice":"required"                                  | tool_choice
          "tool_choice":"sometimes"                                 | tool_choice
          "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"array"}}}],"tool_choice":"required" | tools
          "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","not":{}}}}],"tool_choice":"required" | tools
          "tools":[{"type":"function","function":{"name":"f"}}],"response_format":{"type":"json_object"} | tool_choice
          "tools":[{"type":"function","function":{"name":"f"}}],"grammar":"root ::= \\"a\\"" | tool_choice
          "tools":[{"type":"function","function":{"name":"f","strict":"yes"}}] | tools[0].function.strict
          "tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required","ignore_eos":true | ignore_eos
          "tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required","parallel_tool_calls":1 | parallel_tool_calls
          "tool_choice":{"type":"function","function":{"name":"f"}} | tool_choice
          "tools":[{"type":"web_search"}]                           | tools[0].type
          "functions":[{"name":"f"}]                                | functions
          "audio":{"voice":"a"}                                     | audio
          "modalities":["text","audio"]                             | modalities
          "temperature":3                                           | temperature
          "temperature":"hot"                                       | temperature
          "top_p":0                                                 | top_p
          "n":0                                                     | n
          "n":17                                                    | n
          "max_tokens":-1                                           | max_tokens
          "max_completion_tokens":-1                                | max_completion_tokens
          "seed":1.5                                                | seed
          "stop":""                                                 | stop
          "stop":[1]                                                | stop
          "logprobs":1                                              | logprobs
          "top_logprobs":3                                          | top_logprobs
          "logit_bias":{"300":1}                                    | logit_bias
          "logit_bias":{"a":1}                                      | logit_bias
          "logit_bias":{"1":101}                                    | logit_bias
          "frequency_penalty":2.1                                   | frequency_penalty
          "stream":"yes"                                            | stream
          "stream_options":{"include_usage":1}                      | stream_options.include_usage
          "sortie":{"strategy":"deep"}                              | sortie.strategy
          "sortie":{"threshold":2}                                  | sortie.threshold
          "sortie":{"exits":[2]}                                    | sortie.exits
          "sortie":{"exits":[4294967297]}                           | sortie.exits
          "sortie":{"thresholds":{"2":0.5}}                         | sortie.thresholds.2
          "sortie":{"policy":"mood"}                                | sortie.policy
          "sortie":{"policy":"probe"}                               | sortie.policy
          "sortie":{"thresholds":{"3":1.5}}                         | sortie.thresholds.3
          "model":"gpt-4o"                                          | model
          "messages":[]                                             | messages
          "messages":[{"content":"a"}]                              | messages[0].role
          "messages":[{"role":"user"}]                              | messages[0].content
          "messages":[{"role":"user","content":[{"type":"image_url"}]}] | messages[0].content[0].type
          """)
  void aFieldThatCannotBeHonouredIsRefusedByName(String field, String param) {
    String messages = "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]";
    RawClient.Answer answer =
        tiny.post(CHAT, "{" + (field.contains("\"messages\"") ? "" : messages + ",") + field + "}");
    assertThat(answer.status()).isEqualTo(param.equals("model") ? 404 : 400);
    assertThat(answer.error().getString("param")).isEqualTo(param);
    assertThat(answer.error().getString("type")).isEqualTo("invalid_request_error");
    assertThat(answer.error().getString("message")).contains(param.split("[.\\[]")[0]);
  }

  @Test
  void whatIsNoRequestIsRefusedInTheSameShape() {
    for (String body : List.of("", "{", "[]", "{\"prompt\":\"a\"} x", "{\"prompt\":1}")) {
      RawClient.Answer answer = tiny.post(TEXT, body);
      assertThat(answer.status()).as(body).isEqualTo(400);
      assertThat(answer.error().getString("message")).isNotEmpty().doesNotContain("Source");
    }
    assertThat(RawClient.get(tiny.port(), "/v1/nothing").status()).isEqualTo(404);
    assertThat(RawClient.get(tiny.port(), TEXT).status()).isEqualTo(405);
    String endless = "a ".repeat(TinyServer.CONTEXT * 4);
    RawClient.Answer answer = tiny.post(TEXT, "{\"prompt\":\"" + endless + "\"}");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.error().getString("code")).isEqualTo("context_length_exceeded");
  }
}
