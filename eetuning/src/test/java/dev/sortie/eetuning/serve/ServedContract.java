package dev.sortie.eetuning.serve;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** Tests that ask one {@link TinyServer}, which runs as long as they do. */
abstract class ServedContract {
  @TempDir private static Path folder;

  static TinyServer tiny;

  @BeforeAll
  static void start() throws InterruptedException {
    tiny = TinyServer.start(folder);
  }

  @AfterAll
  static void stop() {
    tiny.close();
  }
}
