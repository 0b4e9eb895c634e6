package dev.sortie.eetuning.cli.base;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A user is told what was being done when memory ran out, and how much there was. */
@Tag("any-kernels")
class OutOfMemoryContractTest {
  private static OutOfMemoryError in(String message, String... classes) {
    OutOfMemoryError e = new OutOfMemoryError(message);
    StackTraceElement[] frames = new StackTraceElement[classes.length];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = new StackTraceElement(classes[i], "run", "X.java", 1);
    }
    e.setStackTrace(frames);
    return e;
  }

  @Test
  void theHeapIsNamedWithItsSize() {
    long mebibytes = Runtime.getRuntime().maxMemory() >> 20;
    OutOfMemoryError e =
        in(
            "Java heap space",
            "java.util.Arrays",
            "dev.sortie.nn.json.JsonCursor",
            "dev.sortie.nn.text.format.TokenizerJson");
    assertThat(OutOfMemory.line(e))
        .isEqualTo(
            "out of memory while reading JSON: Java heap space (all "
                + mebibytes
                + " MiB of it); close other programs, use a smaller input, or give Java more with SORTIE_JAVA_OPTS=-Xmx8g");
  }

  @Test
  void whatTheSystemRefusedIsNamedWithItsSize() {
    OutOfMemoryError e =
        in(
            "the OS refused 4096 bytes of off-heap memory",
            "dev.sortie.tensor.memory.HugePages",
            "dev.sortie.eetuning.train.loop.TrainingLoop");
    assertThat(OutOfMemory.line(e))
        .startsWith(
            "out of memory while training: the OS refused 4096 bytes of off-heap memory; close");
    assertThat(OutOfMemory.line(in("Java heap space"))).startsWith("out of memory: Java heap");
  }
}
