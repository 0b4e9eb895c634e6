package dev.sortie.benchmarks.paper;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The figures of all experiments.
 *
 * @param folder of the runs
 */
public record PaperResults(RunFolder folder) {
  /** Figures that every run repeats. */
  public static final String FIGURES = "paper.jsonl";

  /** Speeds and memory. */
  public static final String MEASURED = "paper-measured.jsonl";

  /**
   * Writes figures and page.
   *
   * @param figures folder of the figures
   * @param docs folder of the page
   * @param speed whether to write figures of speed too; otherwise those that are there are kept
   * @return the page
   */
  public Path write(Path figures, Path docs, boolean speed) {
    RunReader reader = new RunReader(folder);
    Map<Run, Map<String, Object>> repeated = new LinkedHashMap<>();
    Map<Run, Map<String, Object>> measured = new LinkedHashMap<>();
    for (Experiment e : Experiment.values()) {
      if (!e.isMeasured()) {
        e.runs().forEach(run -> repeated.put(run, reader.repeated(run)));
      } else if (speed) {
        e.runs()
            .forEach(
                run -> {
                  Map<String, Object> line = new LinkedHashMap<>(folder.where(run).fields());
                  line.putAll(reader.measured(run));
                  measured.put(run, line);
                });
      }
    }
    Figures.write(figures.resolve(FIGURES), repeated);
    if (speed) {
      Figures.write(figures.resolve(MEASURED), measured);
    }
    return page(figures, docs);
  }

  /**
   * Writes the page of figures.
   *
   * @return the page
   */
  public static Path page(Path figures, Path docs) {
    return PaperPage.write(
        Figures.read(figures.resolve(FIGURES)), Figures.readAny(figures.resolve(MEASURED)), docs);
  }
}
