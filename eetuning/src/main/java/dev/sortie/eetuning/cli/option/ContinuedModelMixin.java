package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.host.ModelName;
import dev.sortie.eetuning.train.pretrain.StartingWeights;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.family.GenerationConfig;
import dev.sortie.nn.family.HfConfigWriter;
import dev.sortie.nn.format.Gguf;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.nn.text.format.TokenizerJsonWriter;
import dev.sortie.tensor.dtype.DType;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A model whose training is continued, in place of a new one. */
public final class ContinuedModelMixin {
  @Option(
      names = "--model",
      paramLabel = "M",
      description =
          "Continue the training of this model, with its sizes and its tokenizer, "
              + "instead of a new one: a Hugging Face folder of Llama, Mistral, "
              + "Qwen 2 or 3 or SmolLM, ORG/NAME as pulled from the hub, or fable. "
              + "Exits begin as copies of its last layers.")
  private String word;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  private Continued model;

  /**
   * What is known of the model without its weights.
   *
   * @param config its sizes and switches
   * @param tokenizer its tokenizer
   * @param weights where its weights are
   */
  public record Continued(
      DecoderConfig config, SubwordTokenizer tokenizer, StartingWeights weights) {

    /** Writes all of a Hugging Face folder but the weights, as the model has it. */
    public void writeSettings(Path folder, DType matrices) {
      Path from = weights.model();
      HfConfigWriter.copy(from, folder.resolve("config.json"), matrices);
      TokenizerJsonWriter.write(
          tokenizer, folder.resolve("tokenizer.json"), ChatTemplate.sources(from));
      GenerationConfig.copy(from, folder);
    }
  }

  /**
   * The model, if one is given.
   *
   * @throws InputException if options of a new model are given too, or its files are wrong or of a
   *     kind that cannot be written again
   */
  public Optional<Continued> model() {
    if (word != null && model == null) {
      refuse(new NewDecoderMixin());
      refuse(new NewTokenizerMixin());
      model = read(ModelName.path(word));
    }
    return Optional.ofNullable(model);
  }

  /** Refuses options that say how a new model is. */
  private void refuse(Object ofNewModels) {
    CommandSpec options = CommandSpec.forAnnotatedObject(ofNewModels);
    for (OptionSpec given : command.commandLine().getParseResult().matchedOptions()) {
      if (options.findOption(given.longestName()) != null) {
        throw new UsageException(
            "%s is for a new model; --model %s keeps its sizes and its tokenizer: leave out one of the two"
                .formatted(given.longestName(), word));
      }
    }
  }

  private static Continued read(Path path) {
    try (ModelFiles files = ModelFiles.open(path)) {
      if (files.stored() instanceof Gguf) {
        throw new InputException(
            path
                + ": a GGUF file; training continues from a Hugging Face folder; convert makes one");
      }
      if (files.weights() != files.stored()) { // written under other names than it is trained
        throw new InputException(
            "%s: training of a model of type %s cannot be continued; take one of Llama, Mistral, Qwen 2 or 3 or SmolLM"
                .formatted(path, files.config().family()));
      }
      if (!files.config().decoder().switches().bases().isNone()) {
        throw new InputException(
            path + ": its layers share bases; take the model that it was made from");
      }
      return new Continued(files.config().decoder(), files.tokenizer(), StartingWeights.of(files));
    }
  }
}
