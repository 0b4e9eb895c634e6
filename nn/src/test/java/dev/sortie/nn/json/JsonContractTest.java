package dev.sortie.nn.json;

import static dev.sortie.nn.format.FormatFixtures.assertRefused;
import static dev.sortie.nn.format.FormatFixtures.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** JSON is strict, limited, typed, and written the same each time. */
@Tag("any-kernels")
class JsonContractTest {
  private static final JsonLimits SMALL = new JsonLimits(200, 3, 10);

  @TempDir Path folder;

  private static JsonObject parse(String text) {
    return Json.parse("x.json", text, SMALL);
  }

  @Test
  void valuesComeWithTheirTypes() {
    JsonObject o =
        parse(
            "{\"i\":7,\"d\":1.5,\"s\":\"é\",\"b\":true,\"n\":null,"
                + "\"l\":[1,2],\"t\":[\"x\"],\"o\":[{\"p\":1}]}");
    assertThat(o.getInt("i", 0, 7)).isEqualTo(7);
    assertThat(o.getDouble("d", 0, 2)).isEqualTo(1.5);
    assertThat(o.getDouble("i", 0, 10)).isEqualTo(7.0);
    assertThat(o.getString("s")).isEqualTo("é");
    assertThat(o.getBoolean("b")).isTrue();
    assertThat(o.contains("n")).isTrue();
    assertThat(o.has("n")).isFalse();
    assertThat(o.getInts("l", 1, 2)).containsExactly(1, 2);
    assertThat(o.getStrings("t")).containsExactly("x");
    assertThat(o.getObjects("o").getFirst().getInt("p", 1, 1)).isEqualTo(1);
    assertThat(o.optional("n", o::getString)).isEmpty();
    assertThat(o.fields().keySet()).containsExactly("i", "d", "s", "b", "n", "l", "t", "o");
  }

  @Test
  void errorsNameFileFieldValueAndLimit() {
    JsonObject o = parse("{\"i\":7,\"o\":{\"l\":[1,2.5]},\"z\":0}");
    assertRefused(() -> o.getInt("i", 8, 9), List.of("x.json", "\"i\"", "7", "8 to 9"));
    assertRefused(() -> o.getInt("j", 8, 9), List.of("x.json", "\"j\"", "missing", "8 to 9"));
    assertRefused(() -> o.getString("i"), List.of("x.json", "\"i\"", "7", "a string"));
    assertRefused(
        () -> o.getObject("o").getInts("l", 0, 9),
        List.of("x.json", "\"o.l[1]\"", "2.5", "0 to 9"));
    assertRefused(() -> o.refuseUnknown(Set.of("i", "o")), List.of("x.json", "\"z\"", "[i, o]"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "[]",
        "1",
        "{",
        "{}{}",
        "{} x",
        "{\"a\":1,}",
        "{'a':1}",
        "{a:1}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":NaN}",
        "{\"a\":1e400}",
        "{\"a\":1,\"a\":1}",
        "{\"a\":[[[1]]]}",
        "{\"a\":\"12345678901\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":tru}",
        "{/**/}",
        "{\"a\":12345678901234567890123456789012345678901234567890123456789012345}"
      })
  void whatIsNotStrictJsonIsRefused(String text) {
    assertRefused(() -> parse(text), List.of("x.json"));
  }

  /** As a model may write them; anything else is as strict as it is for files. */
  @Test
  void namesMayRepeatWhereThatIsSaid() {
    String text = "{\"a\":{\"b\":1,\"b\":[2]},\"c\":3,\"a\":{\"b\":{\"d\":4,\"d\":5}}}";
    assertThat(Json.compact(Json.parseRepeating("call", text, JsonLimits.CONFIG)))
        .isEqualTo("{\"a\":{\"b\":{\"d\":5}},\"c\":3}");
    for (String wrong : List.of("{\"a\":01}", "{} {}", "[]", "")) {
      assertThatThrownBy(() -> Json.parseRepeating("call", wrong, JsonLimits.CONFIG))
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith("call: ");
    }
  }

  @Test
  void documentsAboveTheLimitAreRefused() {
    Path file = write(folder.resolve("big.json"), " ".repeat(200) + "{}");
    assertRefused(() -> Json.read(file, SMALL), List.of(file.toString(), "202", "200"));
    assertRefused(() -> Json.read(folder), List.of(folder.toString(), "regular file"));
  }

  /** With the whole way to each, these objects would take 16 GiB. */
  @Test
  void aLongNameIsNotKeptInEachObjectBelowIt() {
    String objects = ",{\"a\":1}".repeat(1 << 14).substring(1);
    String text = "{\"" + "n".repeat(1 << 20) + "\":[" + objects + "]}";
    JsonObject o = Json.parse("long", text, new JsonLimits(1 << 22, 4, 1 << 21));
    List<JsonObject> list = o.getObjects("n".repeat(1 << 20));
    assertThat(list).hasSize(1 << 14);
    assertThatThrownBy(() -> list.getLast().getString("a"))
        .isInstanceOf(InputException.class)
        .hasMessageMatching("long: field \"n{80}… .*\" is 1, expected a string");
  }

  @Test
  void textThatIsNotUtf8IsRefused() {
    Path file =
        write(folder.resolve("latin.json"), new byte[] {'{', '"', (byte) 0xe9, '"', ':', '1', '}'});
    assertRefused(() -> Json.read(file), List.of(file.toString(), "byte 2", "UTF-8"));
    Path utf16 = write(folder.resolve("utf16.json"), new byte[] {'{', 0, '}', 0});
    assertRefused(() -> Json.read(utf16), List.of(utf16.toString()));
  }

  @Test
  void aListOfObjectsIsRead() {
    Path file =
        write(folder.resolve("messages.json"), "[{\"role\":\"user\"},{\"role\":\"system\"}]");
    assertThat(Json.readObjects(file, JsonLimits.CONFIG))
        .extracting(o -> o.getString("role"))
        .containsExactly("user", "system");
    write(file, "[1]");
    assertRefused(
        () -> Json.readObjects(file, JsonLimits.CONFIG), List.of(file.toString(), "1", "object"));
  }

  @Test
  void whatIsWrittenIsReadBack() {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("z", Arrays.asList(1, 2L, null));
    value.put("a", Map.of("x", 0.1f, "y", "é\n"));
    value.put("d", 1e-7);
    Path file = folder.resolve("v.json");
    Json.write(file, value);
    assertThat(file)
        .content()
        .startsWith("{\n  \"z\": [ 1, 2, null ],\n")
        .contains("0.1")
        .doesNotContain("\r");
    JsonObject back = Json.read(file);
    assertThat(back.getObject("a").getDouble("x", 0, 1)).isEqualTo(0.1);
    assertThat(back.getObject("a").getString("y")).isEqualTo("é\n");
    assertThat(back.getDouble("d", 0, 1)).isEqualTo(1e-7);
    assertThat(Json.pretty(back))
        .isEqualTo(Json.pretty(Json.parse("y", Json.compact(back), JsonLimits.CONFIG)));
  }

  @Test
  void valuesWithoutJsonFormAreRefused() {
    assertThatThrownBy(() -> Json.pretty(List.of(Double.NaN))).hasMessageContaining("NaN");
    assertThatThrownBy(() -> Json.pretty(List.of(Float.POSITIVE_INFINITY)))
        .hasMessageContaining("Infinity");
    assertThatThrownBy(() -> Json.pretty(new Object()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Json.write(folder.resolve("s.json"), Map.of("a", "\ud800")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("s.json");
  }
}
