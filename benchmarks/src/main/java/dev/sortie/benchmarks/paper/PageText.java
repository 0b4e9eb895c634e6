package dev.sortie.benchmarks.paper;

import dev.sortie.eetuning.plot.Palette;
import dev.sortie.eetuning.plot.Svg;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A page of Markdown and its pictures, which lie in a folder of the page's name next to it. */
final class PageText {
  private final StringBuilder text = new StringBuilder();
  private final Path folder;
  private final String name;

  PageText(Path folder, String name) {
    this.folder = folder;
    this.name = name;
    try {
      Files.createDirectories(folder.resolve(name));
    } catch (IOException e) {
      throw new InputException(folder + " cannot be made: " + e, e);
    }
  }

  PageText heading(int level, String heading) {
    return paragraph("#".repeat(level) + " " + heading);
  }

  PageText paragraph(String paragraph) {
    text.append(paragraph).append("\n\n");
    return this;
  }

  /** The commands of experiments as one block, which the tests do not run. */
  PageText commands(Experiment... experiments) {
    text.append("```sh\n# takes minutes\n");
    for (Experiment e : experiments) {
      text.append(e.shell());
    }
    text.append("```\n\n");
    return this;
  }

  /** Writes a picture and shows it. */
  PageText picture(String id, String alternative, Svg picture, Palette palette) {
    picture.write(folder.resolve(name).resolve(id + ".svg"), palette);
    return paragraph("![%s](%s/%s.svg)".formatted(alternative, name, id));
  }

  PageText table(List<String> head, List<List<String>> rows) {
    row(head);
    row(head.stream().map(_ -> "---").toList());
    rows.forEach(this::row);
    text.append('\n');
    return this;
  }

  private void row(List<String> cells) {
    text.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }

  /** Writes the page. */
  Path write() {
    Path file = folder.resolve(name + ".md");
    AtomicFiles.write(file, (text.toString().strip() + "\n").getBytes(StandardCharsets.UTF_8));
    return file;
  }
}
