package dev.sortie.tests;

import dev.sortie.eetuning.host.EmbeddedFolder;
import java.nio.file.Path;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** The promises of early exits on real small models. */
class EarlyExitParityTest {
  /** The embedded model, on every machine. */
  @Nested
  class OnFable extends EarlyExitParity {
    @Override
    Path folder() {
      return EmbeddedFolder.FABLE.path();
    }
  }

  /** A model of another family's making, where the shared models are. */
  @Nested
  @Tag("slow")
  class OnStories extends EarlyExitParity {
    @Override
    Path folder() {
      return Fixture.shared("models/stories260K");
    }
  }
}
