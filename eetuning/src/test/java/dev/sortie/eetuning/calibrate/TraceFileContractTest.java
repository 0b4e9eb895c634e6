package dev.sortie.eetuning.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.calibrate.HeldOutSequence.Kind;
import dev.sortie.eetuning.eval.TokenReadings;
import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceFileContractTest {
  private static final Map<String, String> OF = Map.of("exits_sha256", "ab");
  private static final HeldOutSequence ONE = new HeldOutSequence(new int[] {1, 2, 3}, Kind.PROMPT);
  private static final HeldOutSequence TWO = new HeldOutSequence(new int[] {1, 2, 3}, Kind.TEXT);

  @TempDir private Path temp;

  private static TokenReadings readings(double confidence) {
    TokenReadings.Head exit =
        new TokenReadings.Head(
            new int[] {5, 6},
            new double[] {confidence, 1.0 / 3},
            new double[] {0.1, Double.POSITIVE_INFINITY});
    TokenReadings.Head last =
        new TokenReadings.Head(new int[] {5, 7}, new double[] {0.5, 0.25}, new double[] {0.2, 0.3});
    return new TokenReadings(new int[] {9, 8, 5, 6}, List.of(4), List.of(exit), last);
  }

  private static void assertSame(TokenReadings found, TokenReadings expected) {
    assertThat(found).usingRecursiveComparison().isEqualTo(expected);
  }

  @Test
  void whatWasKeptIsFoundAgainForTheSameSequenceAlone() {
    Path file = temp.resolve("traces.jsonl");
    TraceFile first = TraceFile.open(file, OF);
    assertThat(first.get(ONE)).isEmpty();
    first.add(ONE, readings(0.1));
    TraceFile again = TraceFile.open(file, OF);
    assertSame(again.get(ONE).orElseThrow(), readings(0.1));
    assertThat(again.get(TWO)).isEmpty();
    again.add(TWO, readings(0.2));
    assertSame(TraceFile.open(file, OF).get(TWO).orElseThrow(), readings(0.2));
  }

  @Test
  void halfALineOfARunThatWasKilledIsCutOff() throws IOException {
    Path file = temp.resolve("traces.jsonl");
    TraceFile.open(file, OF).add(ONE, readings(0.1));
    Files.writeString(file, "{\"sequence\": \"ab\", \"dep", StandardOpenOption.APPEND);
    TraceFile again = TraceFile.open(file, OF);
    again.add(TWO, readings(0.2));
    TraceFile third = TraceFile.open(file, OF);
    assertThat(third.get(ONE)).isPresent();
    assertThat(third.get(TWO)).isPresent();
  }

  @Test
  void tracesOfOtherExitsAndOtherFilesAreRefused() throws IOException {
    Path file = temp.resolve("traces.jsonl");
    TraceFile.open(file, OF);
    assertThatThrownBy(() -> TraceFile.open(file, Map.of("exits_sha256", "cd")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("traces.jsonl")
        .hasMessageContaining("exits_sha256 is ab")
        .hasMessageContaining("cd");
    Map<String, String> more = Map.of("exits_sha256", "ab", "text_tokens", "512");
    assertThatThrownBy(() -> TraceFile.open(file, more))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("text_tokens is missing, that of this run is 512");
    Path other = Files.writeString(temp.resolve("notes.txt"), "my notes");
    assertThatThrownBy(() -> TraceFile.open(other, OF)).isInstanceOf(InputException.class);
    assertThat(Files.readString(other)).isEqualTo("my notes");
  }
}
