package dev.sortie.eetuning.eval;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Which sources a measurement was made with. */
public final class SourceRevision {
  /** The launcher sets it to the folder of the sources. */
  private static final String ROOT = "sortie.root";

  private SourceRevision() {}

  /** The commit, with a mark if files were changed since; {@code unknown} without git. */
  public static String commit() {
    try {
      Process git =
          new ProcessBuilder(
                  "git",
                  "-C",
                  System.getProperty(ROOT, "."),
                  "describe",
                  "--always",
                  "--abbrev=12",
                  "--exclude=*",
                  "--dirty")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String text = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return git.waitFor() == 0 && !text.isEmpty() ? text : "unknown";
    } catch (IOException e) {
      return "unknown"; // no git here: sources from an archive
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while asking for the commit", e);
    }
  }
}
