package dev.sortie.eetuning.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a checkpoint says of its run, which may come from anywhere, is shown as text. */
@Tag("any-kernels")
class FingerprintContractTest {
  private static final String ESCAPE = "\u001b]0;title\u0007";
  private static final String ESCAPED = "\\u001b]0;title\\u0007";

  private static void assertRefused(
      Map<String, Object> then, Map<String, Object> now, String message) {
    assertThatThrownBy(() -> Fingerprint.check(Path.of("step-000002"), then, now))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(message);
  }

  @Test
  void noControlCharacterOfACheckpointReachesTheTerminal() {
    assertRefused(
        Map.of("seed", ESCAPE), Map.of("seed", 2), "begun with seed " + ESCAPED + ", now it is 2");
    assertRefused(
        Map.of(ESCAPE, ESCAPE),
        Map.of(),
        "begun with " + ESCAPED + " " + ESCAPED + ", now there is none");
  }
}
