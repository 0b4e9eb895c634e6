package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * How well exits fit a backbone that they were not tuned for: their agreement with its final layer
 * on a page of English that travels with the program.
 *
 * @param tokens of the text that were predicted
 * @param agreement by exit, as {@link TextScorer.Result#heads} names them, the share of these
 *     tokens whose most likely token equals the final layer's
 */
public record BackboneCheck(long tokens, SequencedMap<String, Double> agreement) {
  private static final String TEXT = "backbone-check.txt";

  /** Measures it in one pass over the text. */
  public static BackboneCheck of(LanguageModel model, Exits exits, Device device) {
    TextScorer scorer = new TextScorer(model, exits, device);
    TextScorer.Result result = scorer.score(text(), TextScorer.Progress.NONE);
    SequencedMap<String, Double> agreement = new LinkedHashMap<>();
    result.heads().forEach((exit, score) -> agreement.put(exit, score.agreement()));
    agreement.remove(ExitKeys.FINAL);
    return new BackboneCheck(result.tokens(), agreement);
  }

  private static String text() {
    try (InputStream in = BackboneCheck.class.getResourceAsStream(TEXT)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the embedded text " + TEXT, e);
    }
  }
}
