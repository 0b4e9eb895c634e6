package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A page of the documentation, its text and the fenced blocks in it. */
record MarkdownPage(Path file, String text, List<Fence> fences) {
  static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  /**
   * A fenced block.
   *
   * @param line number of its first line, from 1
   * @param heading the last heading above it
   * @param before the last line of the paragraph above it
   * @param language what the fence names, or nothing
   * @param text its lines, each with a line break
   * @param output what it prints: the text of a block without a language that follows at once
   */
  record Fence(
      Path page,
      int line,
      String heading,
      String before,
      String language,
      String text,
      Optional<String> output) {

    private Fence printing(String printed) {
      return new Fence(page, line, heading, before, language, text, Optional.of(printed));
    }

    @Override
    public String toString() {
      return ROOT.relativize(page) + ":" + line + " " + text.lines().findFirst().orElse("");
    }
  }

  /** All pages for users and for those who change the code. */
  static List<MarkdownPage> all() throws IOException {
    List<Path> files = new ArrayList<>();
    for (String folder : List.of("", "docs", "docs/tour", "benchmarks")) {
      try (Stream<Path> entries = Files.list(ROOT.resolve(folder))) {
        entries.filter(file -> file.toString().endsWith(".md")).sorted().forEach(files::add);
      }
    }
    List<MarkdownPage> pages = new ArrayList<>();
    for (Path file : files) {
      pages.add(read(file));
    }
    return pages;
  }

  static MarkdownPage read(Path file) throws IOException {
    List<Fence> fences = new ArrayList<>();
    String all = Files.readString(file);
    List<String> lines = all.lines().toList();
    String heading = "";
    int endOfLast = -1;
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (line.startsWith("#")) {
        heading = line.replaceFirst("#+ *", "");
      }
      if (!line.startsWith("```")) {
        continue;
      }
      int end = i + 1;
      while (end < lines.size() && !lines.get(end).equals("```")) {
        end++;
      }
      assertThat(end).as("%s:%d has no end", file, i + 1).isLessThan(lines.size());
      String language = line.substring(3);
      String text = String.join("", lines.subList(i + 1, end).stream().map(l -> l + "\n").toList());
      if (language.isEmpty() && i == endOfLast + 2 && !fences.isEmpty()) {
        fences.add(fences.removeLast().printing(text));
      } else {
        String before = i < 2 ? "" : lines.get(i - 2);
        fences.add(new Fence(file, i + 1, heading, before, language, text, Optional.empty()));
      }
      endOfLast = end;
      i = end;
    }
    return new MarkdownPage(file, all, List.copyOf(fences));
  }

  List<Fence> fences(String language) {
    return fences.stream().filter(fence -> fence.language().equals(language)).toList();
  }

  /** Path below the checkout. */
  String name() {
    return ROOT.relativize(file).toString();
  }
}
