package dev.sortie.eetuning.cli.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TerminalTextContractTest {
  private static final String ESCAPE = "\u001b";

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private PrintStream stream(Charset charset) {
    return new PrintStream(bytes, true, charset);
  }

  private String printed() {
    return bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
  }

  private ColouredText text(boolean colour) {
    return new ColouredText(stream(StandardCharsets.UTF_8), 8, colour);
  }

  @Test
  void plainTextHasNoEscapeSequences() {
    ColouredText text = text(false);
    text.legend(List.of(3, 6));
    text.plain("Say:");
    text.token(" Once", OptionalInt.of(3));
    text.token(" upon\n\ta", OptionalInt.empty());
    text.end();
    assertThat(printed()).isEqualTo("Say: Once upon\n\ta\n");
  }

  @Test
  void noControlCharacterOfTheModelReachesTheTerminal() {
    text(true).token("\u001b]0;title\u0007\u009b31m\r\b\u007f\u202e\u2028", OptionalInt.empty());
    assertThat(printed())
        .isEqualTo("\\u001b]0;title\\u0007\\u009b31m\\u000d\\u0008\\u007f\\u202e\\u2028");
  }

  @Test
  void everyDepthOfASmallModelHasAColourOfItsOwnThatEnds() {
    ColouredText text = text(true);
    for (int depth = 1; depth < 8; depth++) {
      text.token("x", OptionalInt.of(depth));
    }
    String[] parts = printed().split("x" + ESCAPE + "\\[0m");
    assertThat(parts)
        .hasSize(7)
        .doesNotHaveDuplicates()
        .allMatch(part -> part.matches(ESCAPE + "\\[38;5;\\d+m"));
  }

  @Test
  void theLegendNamesEveryExit() {
    text(true).legend(List.of(6, 3, 8));
    assertThat(printed().replaceAll(ESCAPE + "\\[[0-9;]*m", ""))
        .isEqualTo("decided after layer:  3  6  8 (frequent tokens)  8 (final)\n");
  }

  @Test
  void anExitOutsideTheModelIsAnError() {
    assertThatThrownBy(() -> text(true).token("x", OptionalInt.of(9)))
        .hasMessageContaining("depth is 9")
        .hasMessageContaining("1 to 8");
  }

  @Test
  void whatAHeadBehindTheLastLayerDecidedIsPainted() {
    text(true).token("x", OptionalInt.of(8));
    assertThat(printed()).matches(ESCAPE + "\\[38;5;\\d+mx" + ESCAPE + "\\[0m");
  }

  @Test
  void whatAnEdgeDecidedAloneIsUnderlinedWhereThereAreColours() {
    text(true).marked("x", OptionalInt.of(3));
    text(true).marked("", OptionalInt.of(3));
    assertThat(printed())
        .matches(
            ESCAPE + "\\[4m" + ESCAPE + "\\[38;5;\\d+mx" + ESCAPE + "\\[0m" + ESCAPE + "\\[0m");
  }

  @Test
  void withoutColoursAMarkedTokenIsItsTextAlone() {
    text(false).marked("x\u001b", OptionalInt.of(3));
    assertThat(printed()).isEqualTo("x\\u001b");
  }

  @Test
  void aLogGetsALineEveryTenSeconds() {
    AtomicLong now = new AtomicLong();
    try (var line = new ProgressLine.Log("tune", 100, stream(StandardCharsets.UTF_8), now::get)) {
      for (int i = 1; i <= 50; i++) {
        now.addAndGet(500_000_000);
        line.step(i, "loss 3: 4.21\u001b");
      }
    }
    assertThat(printed().split("\n"))
        .containsExactly(
            "tune 20/100 (20%), loss 3: 4.21\\u001b, 0:00:40 left",
            "tune 40/100 (40%), loss 3: 4.21\\u001b, 0:00:30 left",
            "tune 50/100 (50%), loss 3: 4.21\\u001b, took 0:00:25");
  }

  @Test
  void theTimeLeftFollowsTheRecentSteps() {
    long second = 1_000_000_000L;
    ProgressRate rate = new ProgressRate(1000);
    assertThat(rate.left()).isEmpty();
    rate.add(1, 60 * second);
    for (int i = 2; i <= 100; i++) {
      rate.add(i, (59 + i) * second);
    }
    assertThat(rate.left()).contains(Duration.ofSeconds(900));
    rate.add(1001, 2000 * second);
    assertThat(rate.left()).contains(Duration.ZERO);
  }

  /** What was done before this process is no measure of its speed. */
  @Test
  void theTimeLeftOfAResumedRunIsThatOfItsOwnSteps() {
    long second = 1_000_000_000L;
    ProgressRate rate = new ProgressRate(1000);
    rate.add(500, second);
    assertThat(rate.left()).isEmpty();
    rate.add(501, 2 * second);
    assertThat(rate.left()).contains(Duration.ofSeconds(499));
  }

  @Test
  void theBarStaysInsideTheTerminalAndNamesItsTask() {
    try (var line = new ProgressLine.Bar("tune", 10, stream(StandardCharsets.US_ASCII), 70)) {
      line.step(10, "loss 3: 4.21 and more that no terminal of this width can show");
    }
    String[] drawn = printed().split("[\r\n]+");
    assertThat(drawn[drawn.length - 1])
        .startsWith("tune 100%")
        .contains("10/10")
        .contains("loss 3");
    assertThat(drawn)
        .allMatch(text -> text.length() < 70)
        .noneMatch(text -> text.contains("?????"));
  }

  @Test
  void aNoteStaysOnALineOfItsOwn() {
    try (var line = new ProgressLine.Bar("tune", 10, stream(StandardCharsets.US_ASCII), 70)) {
      line.step(5, "");
      line.note("after step 5: held-out loss 3.1");
    }
    assertThat(printed())
        .contains("\r" + ESCAPE + "[Kafter step 5: held-out loss 3.1\n")
        .endsWith("\n");
  }

  @Test
  void workWithoutStepsIsAnError() {
    assertThatThrownBy(() -> ProgressLine.start("tune", 0, stream(StandardCharsets.UTF_8)))
        .hasMessageContaining("tune")
        .hasMessageContaining("0");
  }
}
