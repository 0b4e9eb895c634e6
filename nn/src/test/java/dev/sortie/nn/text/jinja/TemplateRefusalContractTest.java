package dev.sortie.nn.text.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.time.Duration;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What is wrong, unsupported or too much in a template ends with a message that names the place.
 */
@Tag("any-kernels")
class TemplateRefusalContractTest {
  private static final TemplateLimits SMALL =
      new TemplateLimits(1 << 17, 90, 20_000, 10_000, 40_000);

  /** With room for more texts and lists than the steps make. */
  private static final TemplateLimits ROOMY =
      new TemplateLimits(1 << 17, 90, 20_000, 10_000, 10_000_000);

  private static String render(String template, TemplateLimits limits) {
    Map<String, Object> variables = Map.of("text", "abc", "list", List.of(1L, 2L), "number", 3L);
    return Template.parse("origin", template, limits).render(variables, LocalDateTime::now);
  }

  private static void assertRefused(String template, int line, int column, String message) {
    assertThatThrownBy(() -> render(template, TemplateLimits.DEFAULT))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("origin: line %d, column %d: ".formatted(line, column))
        .hasMessageContaining(message)
        .message()
        .doesNotContain("\n");
  }

  private record Refused(String template, int column, String message) {}

  private static final List<Refused> UNSUPPORTED =
      List.of(
          new Refused("{% include 'x' %}", 4, "the statement 'include'"),
          new Refused("{% import 'x' as x %}", 4, "the statement 'import'"),
          new Refused("{% from 'x' import y %}", 4, "the statement 'from'"),
          new Refused("{% extends 'x' %}", 4, "the statement 'extends'"),
          new Refused("{% block x %}{% endblock %}", 4, "the statement 'block'"),
          new Refused("{% call m() %}{% endcall %}", 4, "the statement 'call'"),
          new Refused("{% with x = 1 %}{% endwith %}", 4, "the statement 'with'"),
          new Refused("{% do list.append(1) %}", 4, "the statement 'do'"),
          new Refused("{% autoescape true %}{% endautoescape %}", 4, "the statement 'autoescape'"),
          new Refused("{% trans %}{% endtrans %}", 4, "the statement 'trans'"),
          new Refused("{% for i in list recursive %}{% endfor %}", 18, "'recursive'"),
          new Refused("{{ text|urlize }}", 9, "the filter 'urlize'"),
          new Refused("{{ text|escape }}", 9, "the filter 'escape'"),
          new Refused("{{ list|groupby('x') }}", 9, "the filter 'groupby'"),
          new Refused("{{ list|my.filter }}", 9, "with a dot"),
          new Refused("{{ text is escaped }}", 12, "the test 'escaped'"),
          new Refused("{{ range(*list) }}", 10, "'*' before an argument"),
          new Refused("{{ dict(**x) }}", 9, "'**' before an argument"),
          new Refused("{{ list[1,2] }}", 10, "a subscript with a comma"),
          new Refused("{{ 99999999999999999999 }}", 4, "more than 64 bits"),
          new Refused("{{ '\\N{DASH}' }}", 5, "the escape '\\N'"),
          new Refused("{% macro m() %}{{ caller() }}{% endmacro %}", 19, "'caller' in a macro"),
          new Refused("{% macro m() %}{{ varargs }}{% endmacro %}", 19, "'varargs' in a macro"),
          new Refused("{{ cycler(1) }}", 4, "the function 'cycler'"),
          new Refused("{{ joiner() }}", 4, "the function 'joiner'"),
          new Refused("{{ lipsum() }}", 4, "the function 'lipsum'"),
          new Refused("{{ text.zfill(5) }}", 8, "the method 'zfill'"),
          new Refused("{{ text.encode() }}", 8, "the method 'encode'"),
          new Refused("{{ {'a':1}.copy() }}", 11, "the method 'copy'"),
          new Refused("{{ number.real }}", 10, "the attribute 'real'"),
          new Refused("{{ range.name }}", 9, "attributes of functions"),
          new Refused("{{ '%s' % text }}", 9, "'%' on a string"),
          new Refused("{{ '{:d}'.format(1) }}", 17, "the field '{:d}'"),
          new Refused("{{ {1.5: 2} }}", 4, "a float as a key"),
          new Refused("{{ '5'|int(0, 16) }}", 8, "another base"),
          new Refused("{{ list|sort(attribute='a,b') }}", 9, "several attributes"),
          new Refused("{{ 2 ** 64 }}", 6, "64 bits"),
          new Refused("{{ text is sameas text }}", 12, "'sameas'"),
          new Refused("{{ strftime_now('%Q') }}", 16, "'%Q'"),
          new Refused("{{ (text|safe).replace('<', '') }}", 23, "marked safe"),
          new Refused("{{ list|map('string') }}", 1, "has no text of its own"));

  @TestFactory
  Stream<DynamicTest> anUnsupportedConstructIsNamedWithItsPlace() {
    return UNSUPPORTED.stream()
        .map(
            r ->
                DynamicTest.dynamicTest(
                    r.template, () -> assertRefused("a\n" + r.template, 2, r.column, r.message)));
  }

  private static final List<Refused> WRONG =
      List.of(
          new Refused(
              "{% if true %}", 14, "expected '{% elif %}' or '{% else %}' or '{% endif %}'"),
          new Refused("{% for x in list %}", 20, "expected '{% else %}' or '{% endfor %}'"),
          new Refused("{% endfor %}", 4, "'endfor' ends or divides nothing"),
          new Refused("{% break %}", 4, "outside of a loop"),
          new Refused("{% raw %}", 1, "no end '{% endraw %}'"),
          new Refused("{# x", 1, "no end '#}'"),
          new Refused("{{ x", 1, "no end '}}'"),
          new Refused("{{ 'x }}", 4, "the string has no end"),
          new Refused("{{ x[] }}", 6, "expected a value"),
          new Refused("{{ ? }}", 4, "unexpected character '?'"),
          new Refused("{{ x ] }}", 6, "closes nothing"),
          new Refused("{{ nobody.name }}", 10, "'nobody' is undefined"),
          new Refused("{{ text + 1 }}", 9, "'+' does not take a string and an int"),
          new Refused("{{ list.append(3) }}", 15, "'append' would change a value"),
          new Refused("{{ text.__class__.x }}", 18, "out of reach"),
          new Refused("{% set text.x = 1 %}", 8, "'text' is no namespace"),
          new Refused(
              "{{ raise_exception('Bad\nrole') }}", 19, "refuses the conversation: 'Bad\\nrole'"));

  @TestFactory
  Stream<DynamicTest> whatIsWrongIsNamedWithItsPlace() {
    return WRONG.stream()
        .map(
            r ->
                DynamicTest.dynamicTest(
                    r.template, () -> assertRefused("a\n" + r.template, 2, r.column, r.message)));
  }

  private static void assertLimited(String template, String message) {
    assertLimited(template, SMALL, message);
  }

  private static void assertLimited(String template, TemplateLimits limits, String message) {
    assertThatThrownBy(() -> render(template, limits))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(message);
  }

  @Test
  void textsGrowToALimit() {
    String doubled = "{% set ns = namespace(s='ab') %}{% for i in range(60) %}";
    assertLimited(doubled + "{% set ns.s = ns.s ~ ns.s %}{% endfor %}", "0000 characters");
    assertLimited(doubled + "{% set ns.s = ns.s + ns.s %}{% endfor %}", "0000 characters");
    assertLimited(doubled + "{% set ns.s = ns.s * 2 %}{% endfor %}", "0000 characters");
    assertLimited(doubled + "{% set ns.s = ns.s.replace('a', 'aa') %}{% endfor %}", "more than");
    assertLimited(doubled + "{% set ns.s = ns.s|replace('b', 'bb') %}{% endfor %}", "more than");
    assertLimited(
        doubled + "{% set ns.s %}{{ ns.s }}{{ ns.s }}{% endset %}{% endfor %}", "0000 characters");
    assertLimited(doubled + "{% set ns.s = [ns.s, ns.s]|join %}{% endfor %}", "0000 characters");
    assertLimited(doubled + "{% set ns.s = ns.s|tojson %}{% endfor %}", "0000 characters");
    assertLimited(
        doubled + "{% set ns.s = '{0}{0}'.format(ns.s) %}{% endfor %}", "0000 characters");
    assertLimited("{{ 'a' * 9999999999 }}", "0000 characters");
    assertLimited("{{ 'a\nb'|indent(2000000000) }}", "0000 characters");
    assertLimited("{{ [1]|tojson(indent=2000000000) }}", "0000 characters");
    assertLimited("{% for i in range(5000) %}abc{% endfor %}", "0000 characters");
    assertLimited(
        "{% for i in range(5000) %}{% set x = 'a' * 5000 %}{% endfor %}", "40000 characters");
  }

  @Test
  void stepsHaveALimit() {
    String loops = "{% for a in range(900) %}{% for b in range(900) %}";
    assertLimited(loops + "{% endfor %}{% endfor %}", ROOMY, "20000 steps");
    assertLimited("{{ range(99999)|list|length }}", ROOMY, "20000 steps");
    assertLimited("{{ [1] * 9999999999 }}", ROOMY, "20000 steps");
    String lists = "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}";
    assertLimited(lists + "{% set ns.l = ns.l + ns.l %}{% endfor %}", ROOMY, "20000 steps");
    // forty levels of a list that holds the one below twice
    String shared = lists.replace("60", "40") + "{% set ns.l = [ns.l, ns.l] %}{% endfor %}";
    assertLimited(shared + "{{ ns.l == ns.l[:] }}", ROOMY, "20000 steps");
    assertLimited(shared + "{{ ns.l|string|length }}", ROOMY, "20000 steps");
    assertLimited(shared + "{{ ns.l|tojson|length }}", ROOMY, "10000 characters");
  }

  @Test
  void nestingHasALimit() {
    assertLimited("{{ " + "(".repeat(5000) + "1" + ")".repeat(5000) + " }}", ROOMY, "30 levels");
    assertLimited("{{ " + "[".repeat(5000) + "]".repeat(5000) + " }}", ROOMY, "30 levels");
    assertLimited("{{ " + "not ".repeat(5000) + "1 }}", ROOMY, "30 levels");
    assertLimited("{{ " + "- ".repeat(5000) + "1 }}", ROOMY, "30 levels");
    assertLimited("{{ " + "1 if 1 else ".repeat(5000) + "1 }}", ROOMY, "30 levels");
    assertLimited("{{ 1" + " + 1".repeat(5000) + " }}", ROOMY, "90 levels");
    assertLimited("{{ text" + "|trim".repeat(5000) + " }}", ROOMY, "90 levels");
    assertLimited("{{ x" + ".a".repeat(5000) + " }}", ROOMY, "90 levels");
    assertLimited("{% if 1 %}".repeat(5000) + "{% endif %}".repeat(5000), ROOMY, "30 levels");
    assertLimited(
        "{% set " + "(".repeat(5000) + "x" + ")".repeat(5000) + " = 1 %}", ROOMY, "30 levels");
    assertLimited("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", ROOMY, "90 levels");
    String deep = "{% set ns = namespace(l=[]) %}{% for i in range(900) %}";
    String nested = deep + "{% set ns.l = [ns.l] %}{% endfor %}";
    assertLimited(nested + "{{ ns.l|string }}", ROOMY, "90 levels");
    assertLimited(nested + "{{ ns.l|tojson }}", ROOMY, "90 levels");
    assertLimited(nested + "{{ ns.l == [ns.l] }}", ROOMY, "90 levels");
    assertLimited(nested + "{{ [ns.l, [ns.l]]|sort }}", ROOMY, "90 levels");
  }

  @Test
  void theDefaultNestingFitsIntoASmallStack() throws InterruptedException {
    List<String> templates =
        List.of(
            "{{ " + "(".repeat(98) + "1" + ")".repeat(98) + " }}",
            "{{ 1" + " + 1".repeat(297) + " }}",
            "{% macro m(n) %}{% if n %}{% for i in [1] %}{{ m(n - 1)|trim }}{% endfor %}{% endif %}"
                + "{% endmacro %}{{ m(999) }}",
            "{% set ns = namespace(l=[]) %}{% for i in range(900) %}{% set ns.l = [ns.l] %}"
                + "{% endfor %}{{ ns.l|tojson }}");
    Throwable[] failure = new Throwable[1];
    Thread small =
        new Thread(
            null,
            () -> {
              for (String template : templates) {
                try {
                  render(template, TemplateLimits.DEFAULT);
                } catch (InputException limited) {
                  assertThat(limited).hasMessageContaining(" levels deep");
                }
              }
            },
            "small stack",
            512 << 10);
    small.setUncaughtExceptionHandler((t, e) -> failure[0] = e);
    small.start();
    small.join();
    assertThat(failure[0]).isNull();
  }

  @Test
  void theDefaultLimitsEndAHostileTemplateInSeconds() {
    List<String> hostile =
        List.of(
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            "{% set a = 'a' * 8000000 %}{% for i in range(99999) %}{{ (a ~ i)|length }}{% endfor %}",
            "{% set a = 'a' * 8000000 %}{% set b = 'a' * 4000000 ~ 'b' %}{% for i in range(999) %}"
                + "{{ b in a }}{{ a.split(b)|length }}{{ a|replace(b, '')|length }}{% endfor %}",
            "{% set a = 'a ' * 4000000 %}{% for i in range(999) %}{% set x = a.split() %}{% endfor %}",
            "{% set a = 'a' * 3000 %}{% set b = 'a' * 1300 ~ 'b' %}{% for i in range(99999) %}"
                + "{% for j in range(99999) %}{{ b in a }}{% endfor %}{% endfor %}",
            "{% set a = 'ab' * 500 %}{% for i in range(99999) %}{{ a.split('b')|length }}{% endfor %}",
            "{% set a = 'あ' * 8000000 %}{% for i in range(99999) %}{{ a[i] }}{{ a|length }}{% endfor %}",
            "{% set a = 'a' * 4000000 %}{{ a.strip('b' * 4000000 ~ 'a') }}",
            "{% set a = 'あ' * 8000000 %}{% for i in range(99999) %}{{ a[:2] }}{% endfor %}",
            "{% set a = 'a' * 8000000 %}{% set b = 'a' * 8000000 %}{% for i in range(99999) %}"
                + "{{ a == b }}{{ a < b }}{{ a.startswith(b) }}{{ a is lower }}{% endfor %}",
            "{% for i in range(99999) %}{{ range(99999)|list|sort(reverse=true)|length }}{% endfor %}");
    for (String template : hostile) {
      Assertions.assertTimeoutPreemptively(
          Duration.ofSeconds(20),
          () ->
              assertThatThrownBy(() -> render(template, TemplateLimits.DEFAULT))
                  .isInstanceOf(InputException.class)
                  .hasMessageContaining("more than"));
    }
  }

  @Test
  void aTemplateMayNotBeTooLong() {
    assertThatThrownBy(() -> render("x".repeat(SMALL.source() + 1), SMALL))
        .isInstanceOf(InputException.class)
        .hasMessage("origin: the template has 131073 characters, at most 131072 are allowed");
  }

  @Test
  void aLongTextOfManyLinesIsWithinTheLimits() {
    String line = "'" + "x".repeat(40) + "\\n' * 50000";
    assertThat(
            render(
                "{% set t = "
                    + line
                    + " %}{{ t.split('\\n')|length }} {{ t.replace('\\n', ' ')|length }}"
                    + " {{ t.count('\\n') }} {{ t.splitlines()|length }} {{ t.strip()|length }}",
                TemplateLimits.DEFAULT))
        .isEqualTo("50001 2050000 50000 50000 2049999");
  }

  /** Jinja looks filters and tests up as late, and templates rely on it. */
  @Test
  void anUnknownFilterOrTestInABranchFailsWhereTheBranchIsTaken() {
    String template = "{% if number == X %}{{ text|from_json }}{{ text is json }}{% endif %}";
    assertThat(render(template.replace("X", "4"), TemplateLimits.DEFAULT)).isEmpty();
    assertRefused("\n" + template.replace("X", "3"), 2, 29, "the filter 'from_json'");
    String test = "{% if number %}{{ text is json }}{% endif %}";
    assertRefused("\n" + test, 2, 27, "the test 'json'");
  }

  @Test
  void textsAreNeverReadAsTemplates() {
    String hostile =
        "{{ 7 * 7 }}{% for i in range(9) %}x{% endfor %}{# gone #}{{ raise_exception('') }}";
    Map<String, Object> variables =
        Map.of("m", Map.of("content", hostile, "{{ 1 }}", hostile), "l", List.of(hostile));
    String template =
        "{{ m.content }}|{{ m['content'] ~ '' }}|{{ l|join }}|{% set x %}{{ m.content }}{% endset %}{{ x }}"
            + "|{{ '{{ 1 }}' }}|{{ m['{{ 1 }}']|trim }}";
    String rendered =
        Template.parse("origin", template, TemplateLimits.DEFAULT)
            .render(variables, LocalDateTime::now);
    assertThat(rendered)
        .isEqualTo(String.join("|", hostile, hostile, hostile, hostile, "{{ 1 }}", hostile));
  }
}
