package dev.sortie.eetuning.eval.report;

import dev.sortie.eetuning.display.SafeText;
import dev.sortie.eetuning.plot.StyleSheets;
import dev.sortie.nn.file.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** One HTML page that needs no other file, no script and no network. */
final class ReportPage {
  private ReportPage() {}

  /**
   * The page.
   *
   * @param title escaped here
   * @param css styles in addition to those of all pages and plots
   * @param body of the page, with all texts escaped
   */
  static String of(String title, String css, String body) {
    return """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Sortie: %s</title>
    <style>
    %s%s%s</style>
    </head>
    <body>
    <main>
    %s</main>
    </body>
    </html>
    """
        .formatted(SafeText.html(title), StyleSheets.page(), StyleSheets.plot(), css, body);
  }

  /**
   * Writes {@code dir/report.html}, whole or not at all.
   *
   * @param dir a folder that exists
   * @throws dev.sortie.nn.InputException if the disk or the permissions do not allow it
   */
  static void write(Path dir, String page) {
    AtomicFiles.write(dir.resolve("report.html"), page.getBytes(StandardCharsets.UTF_8));
  }
}
