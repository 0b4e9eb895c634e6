package dev.sortie.nn.text.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.Cost;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A template ends in seconds and in little memory, whatever it does. */
@Tag("any-kernels")
class TemplateBudgetContractTest {
  /** A part of what is allowed, for tests that do not take long. */
  private static final TemplateLimits TIGHT =
      new TemplateLimits(1 << 20, 300, 200_000, 1 << 23, 5_000_000);

  /**
   * Texts long enough to take four times as long as one that can be timed. Where a filter is fast,
   * that is 2^24 characters, and looking through them takes 2^18 steps.
   */
  private static final TemplateLimits WIDE =
      new TemplateLimits(1 << 20, 300, 1 << 20, 1 << 28, 1L << 30);

  private static String render(String template, Map<String, ?> variables) {
    return render(template, variables, TemplateLimits.DEFAULT);
  }

  private static String render(String template, Map<String, ?> variables, TemplateLimits limits) {
    return Template.parse("template", template, limits)
        .render(variables, () -> LocalDateTime.of(2026, 1, 2, 3, 4));
  }

  private static final String KEPT =
      "{% set ns = namespace(x=0) %}{% for i in range(99999) %}{% for j in range(99999) %}";
  private static final String END = "{% endfor %}{% endfor %}";

  /** Each would take gigabytes or minutes if what it keeps or computes did not count. */
  private static final List<String> HOSTILE =
      List.of(
          KEPT + "{% set ns.x = [ns.x, i, j] %}" + END,
          KEPT + "{% set ns.x = (ns.x, i) %}" + END,
          KEPT + "{% set ns.x = {'a': ns.x} %}" + END,
          KEPT + "{% set ns.x = [ns.x, nothing_of_this_name_is_there_at_all] %}" + END,
          KEPT + "{% set ns.x = [ns.x, 'a'.upper] %}" + END,
          KEPT + "{% set ns.x = [ns.x, loop] %}" + END,
          KEPT + "{% set ns.x = namespace(a=ns.x) %}" + END,
          KEPT + "{% set a = ns.x %}{% macro m() %}{{ a }}{% endmacro %}{% set ns.x = m %}" + END,
          KEPT
              + "{% set a = ns.x %}{% set b = 1 %}{% set c = 1 %}{% macro m() %}{% endmacro %}{% set ns.x = m %}"
              + END,
          "{% set ns = namespace(x=[1]) %}{% for i in range(99999) %}{% set ns.x = [ns.x, range(9999)|list] %}{% endfor %}",
          "{% set ns = namespace(x=[1]) %}{% for i in range(99999) %}{% set ns.x = [ns.x, ('a' * 9999)|list] %}{% endfor %}",
          "{% set ns = namespace(x=[1]) %}{% for i in range(99999) %}{% set ns.x = [ns.x, ('a ' * 9999).split()] %}{% endfor %}",
          "{% set ns = namespace(x=[1]) %}{% for i in range(99999) %}{% set ns.x = [ns.x, 'a' * 9999] %}{% endfor %}",
          "{% set k = 'k' * 4000000 %}{% for i in range(999) %}{% set x = {k: 1}|tojson %}{% endfor %}",
          "{% set k = 'k' * 4000000 %}{% set x = ([1] * 9999)|tojson(separators=(k, k)) %}",
          "{% set k = 'k' * 4000000 %}{% set x = ([[1]] * 9999)|tojson(separators=(k, k)) %}",
          "{% set k = 'k' * 4000000 %}{% set x = {'a': 1, 'b': 2}|tojson(separators=(k, k), indent=k) %}",
          "{% set k = 'k' * 4000000 %}{% set x = ([[[[[[1]]]]]])|tojson(indent=k) %}",
          "{% set x = ('\\u0001' * 8000000)|tojson %}",
          "{% set x = ['\\u2028\\U000e0001' * 2000000]|string %}",
          "{% set a = ['a' * 4000000, 'A' * 4000000] * 99 %}{% set x = a|sort %}",
          "{% for i in range(99999) %}{{ []|map(attribute='a.b.' * 9999)|list|length }}{% endfor %}",
          "{% for i in range(99999) %}{% for j in range(99999) %}{{ 1e-300 < 1.5e-300 }}{% endfor %}{% endfor %}",
          "{% for i in range(99999) %}{% for j in range(99999) %}{{ 1.5e-300|round(300) }}{% endfor %}{% endfor %}",
          "{% for i in range(99999) %}{% for j in range(99999) %}{{ 1.5e-300|int }}{% endfor %}{% endfor %}",
          "{% for i in range(99999) %}{% for j in range(99999) %}{{ 1.5e300 }}{% endfor %}{% endfor %}",
          "{% for i in range(99999) %}{{ strftime_now('%F' * 9999)|length }}{% endfor %}",
          "{% for i in range(99999) %}{{ ('{0}' * 9999).format(1)|length }}{% endfor %}",
          "{% for i in range(99999) %}{{ ('\u0149' * 99999)|upper|length }}{% endfor %}",
          "{% for i in range(99999) %}{{ ('\u0130' * 99999)|lower|length }}{% endfor %}",
          "{% for i in range(99999) %}{{ ('\u03A3' * 99999)|lower|length }}{% endfor %}",
          "{% for i in range(99999) %}{{ ('\u03A3' * 99999)|title|length }}{% endfor %}");

  @TestFactory
  Stream<DynamicTest> aHostileTemplateIsStopped() {
    return stopped(TIGHT);
  }

  @TestFactory
  @Tag("slow")
  Stream<DynamicTest> aHostileTemplateIsStoppedByTheDefaultLimits() {
    return stopped(TemplateLimits.DEFAULT);
  }

  private static Stream<DynamicTest> stopped(TemplateLimits limits) {
    return HOSTILE.stream()
        .map(
            template ->
                DynamicTest.dynamicTest(
                    template.substring(0, Math.min(90, template.length())),
                    () ->
                        Cost.assertFewSeconds(
                            () ->
                                assertThatThrownBy(() -> render(template, Map.of(), limits))
                                    .isInstanceOf(InputException.class)
                                    .hasMessageStartingWith("template: line 1, column ")
                                    .hasMessageContaining(" more than "))));
  }

  @Test
  void aNameThatIsLongIsCutInMessages() {
    String name = "a".repeat(500_000);
    String template = "{% for i in range(99999) %}{{ " + name + " }}{% endfor %}";
    Cost.assertSmall(() -> assertThat(render(template, Map.of())).isEmpty());
  }

  @TestFactory
  Stream<DynamicTest> filtersThatMakeLongerTextsTakeLinearTime() {
    return Stream.of(
        linear("\u0149", "upper"),
        linear("\u0130", "lower"),
        linear("\u03A3", "lower"),
        linear("\u0149", "title"),
        linear("\u0001", "tojson"));
  }

  @TestFactory
  @Tag("slow")
  Stream<DynamicTest> filtersTakeLinearTime() {
    List<String> characters =
        List.of("\u0149", "\u0130", "\u03A3", "\u03A3'", "a", "\u01C5", "\uD801\uDC00");
    List<String> filters =
        List.of(
            "upper", "lower", "title", "capitalize", "tojson", "reverse", "trim", "string|length");
    return characters.stream().flatMap(c -> filters.stream().map(f -> linear(c, f)));
  }

  private static DynamicTest linear(String character, String filter) {
    return DynamicTest.dynamicTest(
        filter + " of %04X".formatted((int) character.charAt(0)),
        () ->
            Cost.assertLinear(
                1 << 12,
                n -> {
                  String text = character.repeat(n / character.length());
                  String template = "{{ text|" + filter + " }}";
                  return () -> render(template, Map.of("text", text), WIDE);
                }));
  }

  /** What Python gives. */
  @Test
  void caseIsThatOfShortTexts() {
    String word = "\u039F\u0394\u03A5\u03A3\u03A3\u0395\u03A5\u03A3";
    assertThat(PythonCase.lower(word))
        .isEqualTo("\u03BF\u03B4\u03C5\u03C3\u03C3\u03B5\u03C5\u03C2");
    assertThat(PythonCase.lower("\u03A3")).isEqualTo("\u03C3");
    assertThat(PythonCase.lower("A\u03A3'")).isEqualTo("a\u03C2'");
    assertThat(PythonCase.lower("A\u03A3'B")).isEqualTo("a\u03C3'b");
    assertThat(PythonCase.lower("A'\u03A3 B")).isEqualTo("a'\u03C2 b");
    assertThat(PythonCase.lower("1\u03A3")).isEqualTo("1\u03C3");
    String mixed = "a\u0149\u0130\u00DF\uFB03\uD801\uDC00Z";
    for (int shift = 0; shift < 8; shift++) {
      String text = "x".repeat(1020 + shift) + mixed.repeat(300);
      assertThat(PythonCase.upper(text)).isEqualTo(text.toUpperCase(Locale.ROOT));
      assertThat(PythonCase.lower(text)).isEqualTo(text.toLowerCase(Locale.ROOT));
    }
  }
}
