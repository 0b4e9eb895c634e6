package dev.sortie.eetuning.cli.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TypedLinesContractTest {

  /** Bytes of which none is there before it is read, or all. */
  private static InputStream keys(String text, boolean atOnce) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return new ByteArrayInputStream(bytes) {
      @Override
      public int available() {
        return atOnce ? super.available() : 0;
      }
    };
  }

  private static List<String> lines(TypedLines typed) {
    List<String> all = new ArrayList<>();
    for (Optional<String> line = typed.next(); line.isPresent(); line = typed.next()) {
      all.add(line.get());
    }
    return all;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      ignoreLeadingAndTrailingWhitespace = false,
      textBlock =
          """
          The hen<|The he
          a<<<b|b
          Füße<<|Fü
          日本<語|日語
          😀<x|x
          the fox ^W|the_
          the fox^W^W^W|
          the fox^Uhen|hen
          a[Ab[3~cOPd|abcd
          a\\rb|ab
          aãb<|aã
          """)
  void keysEditTheEndOfTheLine(String keys, String line) {
    String bytes =
        keys.replace('<', '\u007f')
            .replace("^W", "\u0017")
            .replace("^U", "\u0015")
            .replace("[", "\u001b[")
            .replace("O", "\u001bO")
            .replace("\\r", "\r");
    String expected = line == null ? "" : line.replace('_', ' ');
    for (boolean atOnce : new boolean[] {true, false}) {
      assertThat(
              lines(
                  new TypedLines(
                      keys(bytes + "\n" + bytes.replace('\u007f', '\b'), atOnce),
                      Optional.empty(),
                      t -> {})))
          .containsExactlyElementsOf(
              expected.isEmpty() ? List.of(expected) : List.of(expected, expected));
    }
  }

  @Test
  void theLineSoFarIsToldWhenNoFurtherKeyIsThere() {
    List<String> typed = new ArrayList<>();
    lines(new TypedLines(keys("aé\u007f\nb", false), Optional.empty(), typed::add));
    assertThat(typed).containsExactly("", "a", "a", "aé", "a", "", "b", "");
    typed.clear();
    lines(new TypedLines(keys("aé\u007f\nb", true), Optional.empty(), typed::add));
    assertThat(typed).as("all at once").containsExactly("b", "");
  }

  @Test
  void keysAreShownOnATerminalAndErasedByTheirWidth() {
    ByteArrayOutputStream shown = new ByteArrayOutputStream();
    PrintStream terminal = new PrintStream(shown, true, StandardCharsets.UTF_8);
    lines(
        new TypedLines(
            keys("a日\u007f\u007fe\u0301\u007fb\u009bc\u0015", false),
            Optional.of(terminal),
            t -> {}));
    String back = "\b \b";
    assertThat(shown.toString(StandardCharsets.UTF_8))
        .isEqualTo("a日" + back.repeat(2) + back + "e\u0301b\\u009bc" + back.repeat(1 + 1 + 6 + 1));
  }

  @Test
  void ctrlDEndsTheInputWhereTheLineIsEmpty() {
    assertThat(
            lines(new TypedLines(keys("ab\u0004c\n\u0004d\n", false), Optional.empty(), t -> {})))
        .containsExactly("abc");
  }

  @Test
  void whatIsNoTextIsRefused() {
    byte[] latin = {'a', '\n', (byte) 0xe9, 'b', 'c', '\n'};
    TypedLines typed = new TypedLines(new ByteArrayInputStream(latin), Optional.empty(), t -> {});
    assertThat(typed.next()).contains("a");
    assertThatThrownBy(typed::next)
        .isInstanceOf(InputException.class)
        .hasMessage("standard input: line 2 is not UTF-8 text");
  }
}
