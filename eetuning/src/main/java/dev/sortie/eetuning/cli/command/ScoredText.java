package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.view.ScoreProgress;
import dev.sortie.eetuning.eval.TextScorer;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.text.TrainingText;
import java.nio.file.Path;
import java.util.List;

/**
 * A file that commands score: one document, or a document in each line of a {@code .jsonl} file.
 *
 * @param file named in errors
 * @param documents in its order, at least one
 */
record ScoredText(Path file, List<String> documents) {
  /** What the file may be, for the help of an option. */
  static final String HELP =
      "A UTF-8 text file, scored as one document, or a .jsonl file, a document in "
          + "the field text of each line.";

  /** Reads the file. */
  static ScoredText read(Path file) {
    return new ScoredText(file, TrainingText.documents(file));
  }

  /** Scores the documents and shows progress on standard error. */
  TextScorer.Result score(TextScorer scorer) {
    try (ScoreProgress progress = new ScoreProgress()) {
      return scorer.score(documents, progress);
    } catch (InputException e) {
      throw new InputException(NamedInput.name(file) + ": " + e.getMessage(), e);
    }
  }
}
