package dev.sortie.benchmarks.report;

import dev.sortie.eetuning.host.Folders;
import dev.sortie.eetuning.plot.Palette;
import dev.sortie.nn.file.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Recorded results as a page of Markdown, {@code recorded.md}, for the documentation: for each
 * comparison and device the newest run as a picture and a table. Pictures are files in the folder
 * {@code recorded} next to it.
 */
public final class MarkdownPage {
  private static final String NAME = "recorded";

  private MarkdownPage() {}

  /**
   * Writes the page and its pictures.
   *
   * @param folder of the documentation
   * @return the page
   * @throws dev.sortie.nn.InputException if they cannot be written
   */
  public static Path write(List<Recorded> all, Path folder) {
    StringBuilder page =
        new StringBuilder(
            """
            # Recorded comparisons

            Made by `./sortie bench report --markdown docs` from [`benchmarks/results.jsonl`](../benchmarks/results.jsonl), which `./sortie bench compare NAME --record` appends to. Ratios of rates, or of times the other way round: above 1, Sortie is faster. Both sides took turns in one run. What the figures mean: [performance](performance.md).

            """);
    Path pictures = folder.resolve(NAME);
    Folders.create(pictures);
    List<String> names = new ArrayList<>();
    for (Recorded r : Recorded.newest(all)) {
      String name = fileName(r.name(), names);
      names.add(name);
      ResultsPage.bars(name, r).write(pictures.resolve(name + ".svg"), new Palette(List.of()));
      section(page, r, NAME + "/" + name + ".svg");
    }
    Path file = folder.resolve(NAME + ".md");
    AtomicFiles.write(file, page.toString().getBytes(StandardCharsets.UTF_8));
    return file;
  }

  private static String fileName(String name, List<String> taken) {
    String plain = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    String free = plain;
    for (int i = 2; taken.contains(free); i++) {
      free = plain + "-" + i;
    }
    return free;
  }

  private static void section(StringBuilder page, Recorded r, String picture) {
    page.append(
        """
        ## %s

        Against %s. %s, %s, %s, commit %s. Geometric mean %s.

        ![Ratios by case.](%s)

        | case | Sortie | peer | unit | ratio |
        |---|---|---|---|---|
        """
            .formatted(
                cell(r.name()),
                cell(r.peer()),
                cell(r.device()),
                cell(r.java()),
                cell(r.date()),
                cell(r.commit()),
                number(r.geomean()),
                picture));
    for (Recorded.Case c : r.cases()) {
      page.append(
          "| %s | %s | %s | %s | %s |\n"
              .formatted(
                  cell(c.name()),
                  number(c.ours()),
                  number(c.peer()),
                  cell(c.unit()),
                  number(c.ratio())));
    }
    page.append('\n');
  }

  /** Three digits and no exponent. */
  private static String number(double x) {
    return new java.math.BigDecimal(x)
        .round(new java.math.MathContext(3))
        .stripTrailingZeros()
        .toPlainString();
  }

  private static String cell(String text) {
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ");
  }
}
