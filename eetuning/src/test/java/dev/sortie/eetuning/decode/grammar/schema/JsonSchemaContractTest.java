package dev.sortie.eetuning.decode.grammar.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.decode.grammar.Gbnf;
import dev.sortie.eetuning.decode.grammar.Grammar;
import dev.sortie.eetuning.decode.grammar.GrammarTexts;
import dev.sortie.eetuning.decode.grammar.TokenGrammar;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which documents the grammar of a schema has, and which schemas are refused. */
@Tag("any-kernels")
class JsonSchemaContractTest {
  private static final JsonLimits LIMITS = new JsonLimits(1 << 24, 400, 1 << 20);
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final GrammarTexts BYTES = GrammarTexts.bytes();

  private static JsonObject parse(String json) {
    return Json.parse("schema", json, LIMITS);
  }

  private static Grammar grammar(String schema) {
    return JsonSchema.grammar("schema", parse(schema));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          {"type":"string"}                      ; "" ~ "a\\u00e9é\\n" ~ "\\ud83d\\ude00" ~ "😀"   ; " ~ "a ~ 1 ~ "\\ud83d" ~ "\\x" ~ ""a
          {"type":"string","minLength":1,"maxLength":2} ; "a" ~ "é\\n" ~ "😀😀"                    ; "" ~ "abc"
          {"type":"integer"}                     ; 0 ~ -12 ~ 123456789012345                        ; 01 ~ 1.5 ~ - ~ 1234567890123456
          {"type":"number"}                      ; 0 ~ -1.5 ~ 2e10 ~ 1.25E-7                        ; .5 ~ 1. ~ +1 ~ 1e ~ NaN
          {"type":["boolean","null"]}            ; true ~ false ~ null                              ; 0 ~ "true" ~ tru
          {"const":{"a":[1,null]}}               ; {"a":[1,null]}                                   ; {"a":[1]} ~ {}
          {"enum":["fox","foxes","hen",3,null]}  ; "fox" ~ "foxes" ~ "hen" ~ 3 ~ null               ; "foxe" ~ 4 ~ fox
          {"type":"string","enum":["a",1]}       ; "a"                                              ; 1
          {"type":"integer","minimum":-3,"maximum":120} ; -3 ~ 0 ~ 9 ~ 10 ~ 99 ~ 120 ~ -1           ; -4 ~ 121 ~ 1200 ~ 200 ~ 00 ~ 130
          {"type":"integer","exclusiveMinimum":99,"exclusiveMaximum":1001} ; 100 ~ 999 ~ 1000 ~ 555 ; 99 ~ 1001 ~ 10
          {"type":"integer","minimum":1.5}       ; 2 ~ 10 ~ 98765                                   ; 1 ~ 0 ~ -2
          {"type":"number","minimum":0,"maximum":1} ; 0 ~ 0.5 ~ 1 ~ 1.0 ~ 0.999                     ; 1.1 ~ -0.1 ~ 2
          {"type":"number","exclusiveMinimum":0} ; 0.1 ~ 7 ~ 12.50 ~ 0.001                          ; 0 ~ 0.0 ~ -1
          {"type":"number","minimum":-2,"exclusiveMaximum":0} ; -2 ~ -2.0 ~ -1.99 ~ -0.5            ; -2.1 ~ 0 ~ -0.0 ~ 1
          {"type":"number","maximum":9007199254740991} ; 0 ~ -2.5 ~ 999999999999999                 ; 9e99 ~ 1e1
          {"type":"number","exclusiveMinimum":-1e300} ; 0.5 ~ -999999999999999                      ; -1e99
          {"type":"number","exclusiveMinimum":0,"exclusiveMaximum":100} ; 99.9999999999999 ~ 0.000000000000001 ~ 98.999999999999999 ~ 99 ; 99.99999999999999 ~ 100
          {"type":"number","exclusiveMinimum":100} ; 100.000000000001 ~ 101.5                       ; 100.0000000000001 ~ 100.0
          {"type":"number","exclusiveMinimum":-9,"exclusiveMaximum":-1} ; -1.00000000000001 ~ -8.99999999999999 ; -1.000000000000001 ~ -8.999999999999999
          {"type":"number","minimum":999999999999997,"exclusiveMaximum":999999999999999} ; 999999999999997.5 ~ 999999999999998 ; 999999999999998.9
          {"type":"number","minimum":0.2,"maximum":0.85} ; 0.2 ~ 0.20 ~ 0.25 ~ 0.8 ~ 0.849999 ~ 0.850 ~ 0.31 ; 0.1 ~ 0.19 ~ 0.851 ~ 0.9 ~ 0 ~ 1 ~ 0.
          {"type":"number","minimum":0.5,"maximum":1.5} ; 0.5 ~ 0.75 ~ 1 ~ 1.0 ~ 1.49 ~ 1.50 ; 0.49 ~ 1.51 ~ 1.6 ~ 0 ~ 2
          {"type":"number","exclusiveMinimum":0.1,"exclusiveMaximum":0.3} ; 0.2 ~ 0.100000000000001 ~ 0.299999999999999 ; 0.1 ~ 0.10 ~ 0.3 ~ 0.30 ~ 0.1000000000000001
          {"type":"number","minimum":-1.25,"maximum":-0.5} ; -1.25 ~ -1 ~ -0.5 ~ -0.7 ~ -1.2 ; -1.26 ~ -0.4 ~ 0.7 ~ -0.49
          {"type":"number","minimum":-0.5,"maximum":12.5} ; -0.5 ~ 0 ~ 0.4 ~ 12 ~ 12.5 ~ 11.99 ; -0.6 ~ -1 ~ 12.51 ~ 13
          {"type":"number","minimum":2.5,"maximum":2.5} ; 2.5 ~ 2.500                               ; 2.4 ~ 2.51 ~ 2
          {"type":"number","minimum":3.05,"exclusiveMaximum":3.1} ; 3.05 ~ 3.09 ~ 3.0999            ; 3.1 ~ 3.04 ~ 3.0 ~ 3
          {"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":3} ; [1,2] ~ [1, 2,3]  ; [1] ~ [1,2,3,4] ~ [] ~ [1,2
          {"type":"array","items":{"type":"null"}} ; [] ~ [null] ~ [null,null] ~ [ null ]           ; [1] ~ [null,]
          {"type":"array","prefixItems":[{"const":1},{"const":2}],"items":{"const":3}} ; [] ~ [1] ~ [1,2] ~ [1,2,3,3] ; [2] ~ [1,3] ~ [1,2,2]
          {"type":"array","prefixItems":[{"const":1},{"const":2},{"const":3}],"items":false,"minItems":2} ; [1,2] ~ [1,2,3] ; [1] ~ [1,2,3,4]
          {"type":"array","prefixItems":[{"const":1}],"items":{"const":3},"minItems":3} ; [1,3,3] ~ [1,3,3,3] ; [1,3] ~ [1]
          {"type":"array","maxItems":0}          ; []                                               ; [1]
          {"type":"object"}                      ; {} ~ {"a":[{"b":null}]} ~ {"a":1, "b":2}         ; [] ~ {a:1} ~ {"a"} ~ {"a":1,}
          {"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"null"}},"required":["a"]} ; {"a":1} ~ {"a":1,"b":null} ~ {"a": 1, "b": null } ; {} ~ {"b":null} ~ {"a":1,"c":2} ~ {"b":null,"a":1}
          {"properties":{"a":{},"b":{},"c":{}}}  ; {} ~ {"a":1} ~ {"b":1} ~ {"c":1} ~ {"a":1,"c":[]} ~ {"a":1,"b":2,"c":3} ; {"d":1} ~ {"a":1,"a":2} ~ {,"a":1}
          {"properties":{"a":{"const":1},"ab":{"const":2}},"additionalProperties":{"type":"string"}} ; {"b":"x"} ~ {"a":1,"abc":"y","":"z"} ~ {"ab":2} ; {"a":"x"} ~ {"ab":"x"} ~ {"\\u0061":"x"} ~ {"c":1}
          {"additionalProperties":{"type":"integer"}} ; {} ~ {"a":1,"b":2}                          ; {"a":"b"}
          {"type":"object","additionalProperties":false} ; {}                                      ; {"a":1}
          {"type":"object","required":["x"]}     ; {"x":1} ~ {"x":1,"y":2}                          ; {} ~ {"y":1}
          {"anyOf":[{"type":"integer"},{"type":"array","items":{"$ref":"#"}}]} ; 1 ~ [] ~ [1,[2,[]]] ; "a" ~ [[1]
          {"$defs":{"n":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/n"}]}},"required":["v","next"]}},"$ref":"#/$defs/n"} ; {"v":1,"next":null} ~ {"v":1,"next":{"v":2,"next":null}} ; {"v":1} ~ {"v":1,"next":{}}
          {"oneOf":[{"type":"object","properties":{"k":{"const":"a"},"x":{}},"required":["k"]},{"type":"object","properties":{"k":{"const":"b"}},"required":["k"]},{"type":"null"}]} ; {"k":"a","x":1} ~ {"k":"b"} ~ null ; {"k":"b","x":1} ~ {"k":"c"}
          {"oneOf":[{"const":1},{"const":1.5},{"const":"1"},{"enum":[[1],[2],{"a":1}]}]} ; 1 ~ 1.5 ~ "1" ~ [2] ; 2 ~ [3]
          {"allOf":[{"$ref":"#/definitions/a~1b"}],"definitions":{"a/b":{"type":"null"}},"title":"t"} ; null ; 1
          {"$ref":"#%2F%24defs/a+%20%c3%a9%2f100%/~01%7e1","$defs":{"a+ é":{"100%":{"~1/":{"type":"null"}}}}} ; null ; 1
          {"type":"string","format":"date"}      ; "2024-02-28" ~ "1999-12-31" ~ "2000-04-30"      ; "2024-02-30" ~ "2024-13-01" ~ "2023-04-31" ~ "24-01-01"
          {"type":"string","format":"date-time"} ; "2024-02-28T23:59:59Z" ~ "2024-02-28T00:00:00.123+02:00" ; "2024-02-28" ~ "2024-02-28T24:00:00Z"
          {"type":"string","format":"uuid"}      ; "01234567-89ab-cdef-0123-456789abcdef"           ; "0123"
          {"type":"string","format":"ipv4"}      ; "0.0.0.0" ~ "255.249.199.9"                      ; "256.1.1.1" ~ "1.2.3" ~ "01.2.3.4"
          """)
  void documentsOfASchema(String schema, String valid, String invalid) {
    Grammar grammar = grammar(schema);
    for (String d : valid.split(" ~ ")) {
      assertThat(BYTES.accepts(grammar, d.strip())).as("%s under %s", d, schema).isTrue();
    }
    for (String d : invalid.split(" ~ ")) {
      assertThat(BYTES.accepts(grammar, d.strip())).as("%s under %s", d, schema).isFalse();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          {"type":"string","pattern":"a*"}        ; #/pattern is a keyword that is not supported
          {"type":"object","properties":{"a":{"items":{"not":{}}}}} ; #/properties/a/items/not is a keyword
          {"patternProperties":{}}                ; #/patternProperties
          {"type":"array","uniqueItems":true}     ; #/uniqueItems
          {"type":"number","multipleOf":2}        ; #/multipleOf
          {"if":{}}                               ; #/if
          {"$ref":"http://example.com/a"}         ; #/$ref is "http://example.com/a", expected a place in this schema
          {"$ref":"#/$defs/a"}                    ; #/$ref is "#/$defs/a", expected a place that is there
          {"$ref":"#/$defs/a%2","$defs":{"a":{}}} ; #/$ref is "#/$defs/a%2", expected a place that is there
          {"$ref":"#"}                            ; begins with itself
          {"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"} ; begins with itself
          {"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]} ; no text ends
          {"$ref":"#/$defs/a","type":"object","$defs":{"a":{}}} ; #/type is not supported together with $ref
          {"anyOf":[{}],"properties":{}}          ; #/properties is not supported together with anyOf
          {"allOf":[{},{}]}                       ; #/allOf is supported with one schema, here are 2
          {"anyOf":[]}                            ; #/anyOf is [], expected a list of at least one schema
          {"oneOf":[{"type":"integer"},{"type":"number"}]} ; #/oneOf has schemas 0 and 1, which
          {"oneOf":[{"properties":{"k":{"const":1}}},{"properties":{"k":{"const":2}}}]} ; #/oneOf has schemas 0 and 1
          {"oneOf":[{"const":1},{"const":1.0}]}   ; #/oneOf has schemas 0 and 1
          {"oneOf":[{"const":{"a":1,"b":[0,null]}},{"enum":["x",{"b":[-0.0,null],"a":1e0}]}]} ; #/oneOf has schemas 0 and 1
          {"type":"strange"}                      ; #/type is "strange", expected one of object, array
          {"enum":[]}                             ; #/enum is []
          {"type":"integer","enum":["a"]}         ; #/type is the type of none of the values
          {"properties":{"a":false}}              ; #/properties/a is false, which allows no document
          {"properties":{"a":1}}                  ; #/properties/a is 1, expected a schema
          {"properties":{"a~/b":{"type":1}}}      ; #/properties/a~0~1b/type is 1
          {"additionalProperties":false,"required":["a"]} ; #/required names "a", which is no property
          {"required":"a"}                        ; #/required is "a", expected a list of names
          {"type":"string","minLength":-1}        ; #/minLength is -1
          {"type":"string","minLength":3,"maxLength":2} ; #/minLength is 3, and maxLength is 2
          {"type":"string","maxLength":10000000}  ; has more than 100000 states and edges
          {"type":"string","format":"email"}      ; #/format is "email", expected one of date
          {"type":"array","minItems":3,"maxItems":2} ; #/minItems is 3, and there are at most 2
          {"type":"integer","minimum":3,"maximum":2} ; # has no whole number within its bounds
          {"type":"integer","minimum":0.2,"maximum":0.8} ; # has no whole number within its bounds
          {"type":"number","exclusiveMinimum":0.2,"exclusiveMaximum":0.2} ; # has no number of up to 15 digits within its bounds
          {"type":"number","exclusiveMinimum":0,"maximum":1e-20} ; # has no number of up to 15 digits within its bounds
          {"type":"integer","minimum":"a"}        ; #/minimum is "a", expected a number
          """)
  void aSchemaThatAGrammarCannotSayIsRefusedByKeywordAndPlace(String schema, String reason) {
    assertThatThrownBy(() -> BYTES.tokens(grammar(schema)))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("schema")
        .hasMessageContaining(reason);
  }

  @Test
  void aHostileSchemaIsRefusedSoon() {
    long start = THREADS.getCurrentThreadCpuTime();
    StringBuilder defs = new StringBuilder("{\"$ref\":\"#/$defs/0\",\"$defs\":{");
    for (int i = 0; i < 20_000; i++) {
      defs.append("\"%d\":{\"$ref\":\"#/$defs/%d\"},".formatted(i, i + 1));
    }
    defs.append("\"20000\":{\"type\":\"null\"}}}");
    assertThat(BYTES.accepts(grammar(defs.toString()), "null")).isTrue(); // calls in the last place
    StringBuilder doubled = new StringBuilder("{\"$ref\":\"#/$defs/0\",\"$defs\":{");
    for (int i = 0; i < 300; i++) {
      doubled.append(
          "\"%d\":{\"type\":\"array\",\"prefixItems\":[{\"$ref\":\"#/$defs/%d\"},{\"$ref\":\"#/$defs/%d\"}],\"minItems\":2},"
              .formatted(i, i + 1, i + 1));
    }
    doubled.append("\"300\":{\"type\":\"null\"}}}");
    assertThatThrownBy(() -> BYTES.tokens(grammar(doubled.toString())))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no text ends");
    String name = "n".repeat(1 << 19);
    StringBuilder below =
        new StringBuilder("{\"properties\":{\"" + name + "\":{\"properties\":{\"p\":{}");
    for (int i = 0; i < 15_000; i++) {
      below.append(",\"").append(i).append("\":{}");
    }
    below.append("}}}}");
    assertThatThrownBy(() -> BYTES.tokens(grammar(below.toString())))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("states and edges");
    StringBuilder names =
        new StringBuilder("{\"additionalProperties\":{},\"properties\":{\"p\":{}");
    for (int i = 0; i < 1000; i++) {
      names.append(",\"").append(i).append("n".repeat(990)).append("\":{}");
    }
    names.append("}}");
    assertThatThrownBy(() -> BYTES.tokens(grammar(names.toString())))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is one part too many");
    StringBuilder many = new StringBuilder("{\"enum\":[0");
    for (int i = 1; i < 40_000; i++) {
      many.append(",\"").append(Integer.toHexString(i * 0x9E3779B1)).append('"');
    }
    many.append("]}");
    assertThatThrownBy(() -> BYTES.tokens(grammar(many.toString())))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("states and edges");
    StringBuilder optional = new StringBuilder("{\"properties\":{\"p\":{}");
    for (int i = 0; i < 700; i++) {
      optional.append(",\"p").append(i).append("\":{}");
    }
    optional.append("}}");
    assertThat(BYTES.accepts(grammar(optional.toString()), "{\"p1\":1,\"p699\":2}")).isTrue();
    assertThat((THREADS.getCurrentThreadCpuTime() - start) * 1e-9).isLessThan(30);
  }

  /** Random schemas and documents; documents are checked by a validator of its own. */
  @Test
  void eachDocumentOfTheGrammarIsValid() {
    Random random = new Random(17);
    int documents = 0;
    for (int i = 0; i < 150; i++) {
      Map<String, Object> schema = RandomSchemas.next(random, 3);
      String text = Json.compact(schema);
      TokenGrammar grammar = BYTES.tokens(grammar(text));
      JsonObject read = parse(text);
      for (int j = 0; j < 6; j++) {
        var document = BYTES.random(grammar, random, 600);
        if (document.isPresent()) {
          documents++;
          assertThat(RandomSchemas.allows(read, document.get()))
              .as("%s under %s", document, text)
              .isTrue();
        }
      }
    }
    assertThat(documents).isGreaterThan(600);
  }

  @Test
  void theRulesOfJsonAreAllDefined() {
    Map<String, Object> rules = new LinkedHashMap<>(JsonSchema.base());
    List<String> names = new ArrayList<>(rules.keySet());
    assertThat(names).contains("value", "string", "number").doesNotContain(Gbnf.ROOT);
    names.forEach(name -> BYTES.tokens(new Grammar("json", name, JsonSchema.base())));
  }

  @Test
  void anyObjectIsAnObject() {
    Grammar grammar = JsonSchema.anyObject("json_object");
    assertThat(BYTES.accepts(grammar, "{\n  \"a\": [1, {}]\n}")).isTrue();
    for (String no : List.of("[]", "1", "{}{}", " {}", "{} ", "{\n\n}")) {
      assertThat(BYTES.accepts(grammar, no)).as(no).isFalse();
    }
  }
}
