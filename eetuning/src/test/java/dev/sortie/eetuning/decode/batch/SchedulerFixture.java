package dev.sortie.eetuning.decode.batch;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * One tiny model for a class of tests, and for each test a scheduler that finds its memory back.
 */
abstract class SchedulerFixture {
  @TempDir private static Path folder;

  /** The model that the tests of a class share. */
  static TinyBatch tiny;

  /** What makes the schedulers of a test. */
  TinyScheduler together;

  @BeforeAll
  static void load() {
    tiny = TinyScheduler.model(folder);
  }

  @AfterAll
  static void close() {
    tiny.close();
  }

  @BeforeEach
  void open() {
    together = new TinyScheduler(tiny);
  }

  @AfterEach
  void allMemoryComesBack() {
    together.close();
  }
}
