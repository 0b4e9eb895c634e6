package dev.sortie.eetuning.train.pretrain;

import dev.sortie.nn.load.ModelFiles;
import java.nio.file.Path;

/**
 * The weights that continued training begins with, in place of random ones.
 *
 * @param model the folder that has them
 * @param sha256 of all of them, as in {@link dev.sortie.nn.load.LanguageModel#sha256}: a run that
 *     is resumed must have begun with the same
 */
public record StartingWeights(Path model, String sha256) {
  /** Those of a model. */
  public static StartingWeights of(ModelFiles model) {
    return new StartingWeights(model.path(), model.sha256());
  }
}
