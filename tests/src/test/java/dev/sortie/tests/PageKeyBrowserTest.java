package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** The page of a server with API keys, in a browser. */
@Tag("any-kernels")
@Tag("slow")
@EnabledIf(
    value = "dev.sortie.tests.Chromium#isThere",
    disabledReason = "no browser: apt-get install chromium, or SORTIE_CHROMIUM=PROGRAM")
class PageKeyBrowserTest {
  private static final String ASKS = "document.getElementById('key-dialog').open";

  @TempDir private static Path folder;

  /** A browser closes a dialog at the second Escape, whatever the page says to it. */
  @Test
  void itAsksForTheKeyUntilItHasTheRightOne() throws InterruptedException {
    try (ServedFable served = ServedFable.withKey("right-key");
        Chromium browser = new Chromium(folder)) {
      BrowserTab tab = browser.open();
      tab.go(served.url() + "/");
      tab.await(ASKS);
      for (int i = 0; i < 3; i++) {
        tab.press("Escape");
        tab.await(ASKS);
      }
      enter(tab, "wrong-key");
      tab.await("!document.getElementById('key-error').hidden && " + ASKS);
      tab.press("Escape", "Escape");
      tab.await(ASKS);
      enter(tab, "right-key");
      tab.await("document.activeElement?.id === 'message'");
      assertThat(tab.value(ASKS)).isEqualTo(false);
      assertThat(tab.text("#model")).startsWith(ServedFable.NAME);
    }
  }

  private static void enter(BrowserTab tab, String key) {
    tab.await("document.activeElement.id === 'key'");
    tab.type(key);
    tab.press("Enter");
  }
}
