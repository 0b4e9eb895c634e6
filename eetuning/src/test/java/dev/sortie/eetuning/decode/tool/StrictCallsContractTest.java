package dev.sortie.eetuning.decode.tool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.decode.grammar.Grammar;
import dev.sortie.eetuning.decode.grammar.GrammarTexts;
import dev.sortie.eetuning.decode.grammar.TriggeredGrammar;
import dev.sortie.eetuning.decode.grammar.schema.JsonSchema;
import dev.sortie.eetuning.decode.sampling.LogitRule;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.chat.ChatTemplate;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls of strict functions are valid from where they begin, and all else is free. */
@Tag("any-kernels")
class StrictCallsContractTest {
  private static final GrammarTexts BYTES = GrammarTexts.bytes();
  private static final GrammarTexts MERGED =
      new GrammarTexts(
          200,
          "<tool_call>\n{\"name\": \"find\", \"arguments\": {\"what\": \"fox\", \"times\": 1}}\n</tool_call>\n"
              .repeat(9));

  private static final String SCHEMA =
      """
      {"type":"object","properties":{"what":{"enum":["fox","hen"]},
        "times":{"type":"integer","minimum":1,"maximum":99}},
       "required":["what"],"additionalProperties":false}""";

  private static StrictCalls calls(boolean several) {
    JsonObject schema = Json.parse("schema", SCHEMA, JsonLimits.DATA);
    return new StrictCalls(
        List.of(
            new ForcedCalls.Function("find", Optional.of(schema), "tools[0]"),
            new ForcedCalls.Function("free", Optional.of(schema), "tools[1]"),
            new ForcedCalls.Function("stop \"it\"", Optional.empty(), "tools[2]")),
        Set.of("find", "stop \"it\""),
        several);
  }

  private static LogitRule rule(GrammarTexts texts) {
    return calls(true).grammar(texts.vocabulary()).get();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Each logit is what it was, at each byte. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Hello <b>you</b>, 1 < 2 <tool_ca <<tool <tool_callé 😀",
        "{\"answer\": 42}",
        " {\"name\": \"Anna\", \"arguments\": {\"what\": \"dog\"}}",
        "{\"name\": \"free\", \"arguments\": {\"what\": \"dog\"}}",
        "{\"arguments\": {\"what\": \"dog\"}, \"name\": \"find\"}",
        "So: {\"name\": \"find\", \"arguments\": {}}",
        "",
      })
  void wordsAreFree(String text) {
    LogitRule rule = rule(BYTES);
    for (byte b : bytes(text)) {
      assertAllAllowed(rule);
      rule.chosen(BYTES.id(b));
    }
    assertAllAllowed(rule);
  }

  private static void assertAllAllowed(LogitRule rule) {
    float[] logits = new float[BYTES.tokenizer().vocabSize() + 3];
    rule.apply(logits);
    assertThat(logits).containsOnly(0);
  }

  /** Also bytes that are no UTF-8. */
  @Test
  void wordsMayBeAnyBytes() {
    LogitRule rule = rule(BYTES);
    for (int b : new int[] {0xFF, '<', 't', 0x80, 0xC3, '<'}) {
      assertAllAllowed(rule);
      rule.chosen(BYTES.id((byte) b));
    }
    assertAllAllowed(rule);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          <tool_call>~{"name": "find", "arguments": {"what": "fox"}}~</tool_call>
          <tool_call>{"name":"find","parameters":{"what":"hen","times":7}}</tool_call> and <b>more</b>
          Well: <tool_call>{"name": "free", "arguments": {"a": [1, {}]}}</tool_call>~<tool_call>{"name": "stop \\"it\\"", "arguments": {}} </tool_call>
          {"name": "find", "arguments": {"what": "fox"}}
           ~~{ "name" :~"find", "parameters": {"what":"hen"}}
          {"name": "stop \\"it\\"","arguments":{}}
          """)
  void callsThatAreValidAreTaken(String answer) {
    String text = answer.replace('~', '\n');
    LogitRule rule = rule(BYTES);
    assertThat(BYTES.taken(rule, bytes(text))).isEqualTo(bytes(text).length);
    assertThat(BYTES.allowed(rule)[BYTES.end()]).isTrue();
  }

  /** The bytes before the bar are taken, the one after it is not. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          <tool_call>|no call
          <tool_call>{"name": "f|ox", "arguments": {}}</tool_call>
          <tool_call>{"|arguments": {"what": "fox"}, "name": "find"}</tool_call>
          <tool_call>{"name": "find", "arguments": {"what": "|dog"}}</tool_call>
          <tool_call>{"name": "find", "arguments": {"what": "fox", "|more": 1}}</tool_call>
          <tool_call>{"name": "find", "arguments": {|}}</tool_call>
          <tool_call>{"name": "find"|}</tool_call>
          <tool_call>{"name": "free", "arguments": |[]}</tool_call>
          One. <tool_call>{"name": "find", "arguments": {"|times": 1}}</tool_call>
          {"name": "find", "arguments": {"what": "|dog"}}
          {"name": "find", "arguments": {"what": "fox"}}|.
          {"name": "find"|}
          """)
  void callsThatAreNotValidAreForbidden(String answer) {
    String given = answer.strip();
    byte[] text = bytes(given.replace("|", ""));
    int expected = bytes(given.substring(0, given.indexOf('|'))).length;
    assertThat(BYTES.taken(rule(BYTES), text)).isEqualTo(expected);
  }

  @Test
  void aCallEndsTheTextWhereThereMayBeOne() {
    byte[] call =
        bytes("<tool_call>{\"name\": \"find\", \"arguments\": {\"what\": \"fox\"}}</tool_call>");
    LogitRule one = calls(false).grammar(BYTES.vocabulary()).get();
    assertThat(BYTES.taken(one, call)).isEqualTo(call.length);
    boolean[] allowed = BYTES.allowed(one);
    for (int id = 0; id < allowed.length; id++) {
      assertThat(allowed[id]).isEqualTo(id == BYTES.end());
    }
  }

  @Test
  void noTextEndsWithinACall() {
    String text = "<tool_call>{\"name\": \"find\", \"arguments\": {\"what\": \"fox\"}}</tool_call>";
    LogitRule rule = rule(BYTES);
    for (int i = 0; i < text.length(); i++) {
      assertThat(BYTES.allowed(rule)[BYTES.end()])
          .as(text.substring(0, i))
          .isEqualTo(i < "<tool_call>".length());
      rule.chosen(BYTES.id((byte) text.charAt(i)));
    }
    assertThat(BYTES.allowed(rule)[BYTES.end()]).isTrue();
  }

  /** A token of many bytes is allowed exactly where each of its bytes is, one after the other. */
  @Test
  void aTokenIsAllowedWhereItsBytesAre() {
    TriggeredGrammar grammar = calls(true).grammar(BYTES.vocabulary());
    TriggeredGrammar merged = calls(true).grammar(MERGED.vocabulary());
    int forbidden = 0;
    for (String answer :
        List.of(
            "So: <tool_call>\n{\"name\": \"find\", \"arguments\": {\"what\": \"fox\", \"times\": 1}}\n</tool_call>\nx<tool_call>",
            "\n{\"name\": \"find\", \"arguments\": {\"what\": \"fox\"}}",
            "{\"name\": \"find\",")) {
      LogitRule byToken = merged.get();
      List<Integer> before = new ArrayList<>();
      for (int id : MERGED.tokenizer().encode(answer)) {
        boolean[] allowed = MERGED.allowed(byToken);
        for (int other = 0; other < MERGED.tokenizer().vocabSize(); other++) {
          if (other != MERGED.end()) {
            LogitRule byByte = grammar.get();
            before.forEach(b -> BYTES.taken(byByte, MERGED.tokenizer().bytes(b)));
            byte[] bytes = MERGED.tokenizer().bytes(other);
            assertThat(allowed[other])
                .as(MERGED.tokenizer().decode(new int[] {other}))
                .isEqualTo(BYTES.taken(byByte, bytes) == bytes.length);
            forbidden += allowed[other] ? 0 : 1;
          }
        }
        byToken.chosen(id);
        before.add(id);
      }
    }
    assertThat(forbidden).isPositive();
  }

  /** Whatever a model would like to write, what the reader finds is valid. */
  @Test
  void whatIsFoundIsValid() {
    TriggeredGrammar grammar = calls(true).grammar(MERGED.vocabulary());
    Grammar schema = JsonSchema.grammar("schema", Json.parse("schema", SCHEMA, JsonLimits.DATA));
    Random random = new Random(7);
    List<String> beginnings =
        List.of("<tool_call>", "Hm. <tool_call>\n", "{\"name\": \"find\"", "{", "{\"name\":", "");
    int found = 0;
    for (int i = 0; i < 400; i++) {
      LogitRule rule = grammar.get();
      StringBuilder text = new StringBuilder();
      for (int id : MERGED.tokenizer().encode(beginnings.get(i % beginnings.size()))) {
        rule.chosen(id);
        text.append(MERGED.tokenizer().decode(new int[] {id}));
      }
      for (int n = 0; n < 120; n++) {
        int id = pick(MERGED.allowed(rule), random);
        if (id == MERGED.end()) {
          break;
        }
        rule.chosen(id);
        text.append(new String(MERGED.tokenizer().bytes(id), StandardCharsets.ISO_8859_1));
      }
      CallReader reader = calls(true).reader();
      List<ToolPiece> pieces = new ArrayList<>(reader.add(text.toString()));
      pieces.addAll(reader.finish());
      for (ToolPiece piece : pieces) {
        if (piece instanceof ToolPiece.Call c && c.name().equals("find")) {
          assertThat(BYTES.accepts(schema, c.arguments())).as(text.toString()).isTrue();
          found++;
        }
      }
    }
    assertThat(found).isGreaterThan(20);
  }

  private static int pick(boolean[] allowed, Random random) {
    int[] some =
        IntStream.range(0, MERGED.tokenizer().vocabSize()).filter(id -> allowed[id]).toArray();
    int[] structure =
        Arrays.stream(some)
            .filter(
                id -> id == MERGED.end() || "\"]},:<".indexOf(MERGED.tokenizer().bytes(id)[0]) >= 0)
            .toArray();
    int[] from = structure.length > 0 && random.nextInt(3) > 0 ? structure : some;
    return from[random.nextInt(from.length)];
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"name":"find","arguments":{"what":"fox"}}         | true
           {"name" : "find", "arguments": {"what":"fox"}}    | true
          {"arguments":{"what":"fox"},"name":"find"}         | false
          {"name":"f\\u0069nd","arguments":{"what":"dog"}}     | false
          {"type":"function","name":"find","arguments":{}}   | false
          {"type":"function","name":"free","arguments":{}}   | true
          """)
  void anObjectThatWasNotHeldToASchemaCallsNoStrictFunction(String answer, boolean call) {
    CallReader reader = calls(true).reader();
    List<ToolPiece> pieces = new ArrayList<>(reader.add(answer));
    pieces.addAll(reader.finish());
    assertThat(pieces).hasSize(1);
    assertThat(pieces.getFirst() instanceof ToolPiece.Call).isEqualTo(call);
    if (pieces.getFirst() instanceof ToolPiece.Text t) {
      assertThat(t.text()).isEqualTo(answer);
    }
  }

  @Test
  void aSchemaThatIsNotSupportedIsRefusedByPlace() {
    JsonObject schema = Json.parse("schema", "{\"type\":\"object\",\"not\":{}}", JsonLimits.DATA);
    StrictCalls calls =
        new StrictCalls(
            List.of(new ForcedCalls.Function("f", Optional.of(schema), "tools[0]")),
            Set.of("f"),
            true);
    assertThatThrownBy(() -> calls.grammar(BYTES.vocabulary()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("tools[0]");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          {% if tools %}Answer in <tool_call></tool_call>.{% endif %}                            ; true
          {% for m in messages %}{% if m.tool_calls %}{"name": "{{ m.tool_calls[0].function.name }}", "parameters": {{ m.tool_calls[0].function.arguments | tojson }}}<end>{% else %}{{ m.content }}{% endif %}{% endfor %} ; true
          {% for m in messages %}{% if m.tool_calls %}[TOOL_CALLS] [{"name": "{{ m.tool_calls[0].function.name }}", "arguments": {}}]{% else %}{{ m.content }}{% endif %}{% endfor %} ; false
          {% for m in messages %}{{ m.content }}{% endfor %}{{ tools }}                          ; false
          {% for m in messages %}{% if m.role != "user" %}{{ raise_exception("no") }}{% endif %}{% endfor %} ; false
          """)
  void theFormOfATemplateIsKnownOrNot(String template, boolean known) {
    assertThat(CallFormat.isKnown(ChatTemplate.of(template, "template", Map.of())))
        .isEqualTo(known);
  }
}
