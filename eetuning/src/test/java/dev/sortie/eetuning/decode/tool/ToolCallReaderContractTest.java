package dev.sortie.eetuning.decode.tool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calls are found however the answer is cut, and what is none stays as it was written. */
@Tag("any-kernels")
class ToolCallReaderContractTest {
  private static String read(CallReader reader, String answer, int step) {
    List<ToolPiece> pieces = new ArrayList<>();
    for (int i = 0; i < answer.length(); i += step) {
      pieces.addAll(reader.add(answer.substring(i, Math.min(answer.length(), i + step))));
    }
    pieces.addAll(reader.finish());
    StringBuilder all = new StringBuilder();
    for (ToolPiece piece : pieces) {
      switch (piece) {
        case ToolPiece.Text t -> all.append(t.text());
        case ToolPiece.Call c -> {
          assertThat(c.id()).matches("[A-Za-z0-9]{9}"); // Mistral's template takes no other
          all.append("[").append(c.name()).append(c.arguments()).append("]");
        }
      }
    }
    return all.toString();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      ignoreLeadingAndTrailingWhitespace = true,
      textBlock =
          """
          Hello <b>you</b>, 1 < 2 <tool                  | Hello <b>you</b>, 1 < 2 <tool
          <tool_call>{"name":"f","arguments":{"a":1}}</tool_call> | [f{"a":1}]
          So: <tool_call> {"name": "f"} </tool_call> and <tool_call>{"name":"g","parameters":{}}</tool_call>. | So: [f{}] and [g{}].
          <tool_call>{"name":"f","arguments":{"a":"<tool_call>"}}</tool_call> | [f{"a":"<tool_call>"}]
          <tool_call>{"name":"f","arguments":{}}         | [f{}]
          <tool_call>no call</tool_call> after           | <tool_call>no call</tool_call> after
          <tool_call>{"name":1}</tool_call>              | <tool_call>{"name":1}</tool_call>
          <tool_call>{"name":"f","arguments":"{}"}</tool_call> | <tool_call>{"name":"f","arguments":"{}"}</tool_call>
          <tool_call>{"name":"f","arguments":{"a":"</tool_call>"}}</tool_call>. | [f{"a":"</tool_call>"}].
          <tool_call>{"name":"f","arguments":{"a":"\\"</tool_call>"}} | [f{"a":"\\"</tool_call>"}]
          <tool_call>{"name":"f","arguments":{ "a": 1, "a":[2.50]}, "x":{"y":[]}}</tool_call> | [f{ "a": 1, "a":[2.50]}]
          <tool_call>{"name":"f","name":"g"}</tool_call> | <tool_call>{"name":"f","name":"g"}</tool_call>
          <tool_call>{"name":"f","arguments":{"a":01}}</tool_call> | <tool_call>{"name":"f","arguments":{"a":01}}</tool_call>
          <tool_call>{"arguments":null,"parameters":{"a":{}},"name":"f"}</tool_call> | [f{"a":{}}]
          <tool_call>1" of</tool_call> <tool_call>{"name":"f"}</tool_call> | <tool_call>1" of</tool_call> [f{}]
          {"name":"f","parameters":{"b":[1,{"c":2}]}}    | [f{"b":[1,{"c":2}]}]
          {"answer":42}                                  | {"answer":42}
          {"name":"f",                                   | {"name":"f",
          {"thought":"look"} <tool_call>{"name":"f","arguments":{}}</tool_call> | {"thought":"look"} [f{}]
          {"name":"f"}<tool_call>{"name":"g"}</tool_call>{<tool_call>{"name":"f"} | {"name":"f"}[g{}]{[f{}]
          { so <tool_call>no call</tool_call> <tool      | { so <tool_call>no call</tool_call> <tool
          """)
  void callsAreFoundHoweverTheAnswerIsCut(String answer, String expected) {
    for (int step = 1; step <= answer.length(); step++) {
      assertThat(read(new ToolCallReader(), answer, step))
          .as("in pieces of %d", step)
          .isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          <tool_call>~{"name": "f", "arguments": {"a": "}\\\\\\"{"}}~</tool_call> | [f{"a": "}\\\\\\"{"}]
          <tool_call>~{"name": "f", "arguments": {"a":1,"a":[{}]}}~</tool_call>~<tool_call>~{"name": "g", "arguments": {}}~</tool_call> | [f{"a":1,"a":[{}]}][g{}]
          <tool_call>~{"name": "f", "arguments": {"a": [1 | [f{"a": [1]
          <tool_call>~{"name": "f", "arguments":          | ``
          <tool_call>~{"name": "g", "arguments": {}       | [g{}]
          """)
  void forcedCallsAreFoundHoweverTheAnswerIsCut(String answer, String expected) {
    CallFormat format = new CallFormat("<tool_call>\n", "arguments", "\n</tool_call>", true);
    String text = answer.replace('~', '\n');
    for (int step = 1; step <= text.length(); step++) {
      assertThat(read(new ForcedCallReader(format, List.of("f", "g")), text, step))
          .isEqualTo(expected.replace('~', '\n'));
    }
  }

  @Test
  void aForcedCallMayHaveNoTags() {
    CallFormat format = new CallFormat("", "parameters", "", false);
    String text = "{\"name\": \"f\", \"parameters\": {\"b\": {}}}";
    for (int step = 1; step <= text.length(); step++) {
      assertThat(read(new ForcedCallReader(format, List.of("f")), text, step))
          .isEqualTo("[f{\"b\": {}}]");
    }
  }
}
