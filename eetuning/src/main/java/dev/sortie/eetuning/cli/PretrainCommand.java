package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.Folders;
import dev.sortie.eetuning.train.DatasetSource;
import dev.sortie.eetuning.train.LoopOptions;
import dev.sortie.eetuning.train.PretrainOptions;
import dev.sortie.eetuning.train.Pretrainer;
import dev.sortie.eetuning.train.TrainLoop;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.AtomicFiles;
import dev.sortie.nn.format.HfConfig;
import dev.sortie.nn.format.HfConfigWriter;
import dev.sortie.nn.format.Json;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.ModelWriter;
import dev.sortie.nn.text.BpeTrainer;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.TokenizerJson;
import dev.sortie.nn.text.TokenizerJsonWriter;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains a decoder from scratch. */
@Command(
    name = "pretrain",
    mixinStandardHelpOptions = true,
    description =
        "Trains a Llama-type decoder from scratch, with a tokenizer of its own, into a Hugging Face folder.")
final class PretrainCommand implements Callable<Integer> {
  private static final String END = "<|endoftext|>";

  @Mixin private ComputeOptions compute;
  @Mixin private TrainingOptions training;

  @Option(
      names = "--layers",
      paramLabel = "N",
      defaultValue = "12",
      description = "Layers. Default: ${DEFAULT-VALUE}.")
  private int layers;

  @Option(
      names = "--hidden",
      paramLabel = "C",
      defaultValue = "192",
      description = "Width. Default: ${DEFAULT-VALUE}.")
  private int hidden;

  @Option(
      names = "--heads",
      paramLabel = "H",
      defaultValue = "6",
      description = "Query heads. Default: ${DEFAULT-VALUE}.")
  private int heads;

  @Option(
      names = "--kv-heads",
      paramLabel = "K",
      defaultValue = "2",
      description = "Key and value heads. Default: ${DEFAULT-VALUE}.")
  private int kvHeads;

  @Option(
      names = "--ffn",
      paramLabel = "F",
      defaultValue = "512",
      description = "Inner width of the MLP. Default: ${DEFAULT-VALUE}.")
  private int ffn;

  @Option(
      names = "--context",
      paramLabel = "N",
      description = "Longest sequence. Default: --seq-len.")
  private Integer context;

  @Option(
      names = "--vocab",
      paramLabel = "V",
      defaultValue = "1024",
      description = "Tokens of the new tokenizer. Default: ${DEFAULT-VALUE}.")
  private int vocab;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "Take this tokenizer.json and train none.")
  private Path tokenizerFile;

  @Option(
      names = "--save",
      paramLabel = "TYPE",
      defaultValue = "BF16",
      description = "Type of the saved weights, BF16 or F32. Default: ${DEFAULT-VALUE}.")
  private DType save;

  @Option(names = "--json", description = "The result as JSON on standard output.")
  private boolean json;

  @Override
  public Integer call() {
    if (save != DType.BF16 && save != DType.F32) {
      throw new InputException("--save " + save + ": take BF16 or F32");
    }
    LoopOptions loop = training.loop();
    training.check();
    PretrainOptions options =
        new PretrainOptions(
            training.microBatch,
            training.globalBatch(),
            training.schedule(),
            training.adamW(),
            training.seed);
    config(vocab); // sizes are refused before anything is written
    Folders.create(training.out);
    Tokenizer tokenizer = tokenizer();
    DecoderConfig config = config(tokenizer.vocabSize());
    try (Interrupt interrupt = new Interrupt();
        Device device = compute.open();
        DatasetSource data = training.dataset(tokenizer);
        Pretrainer trainer = new Pretrainer(config, options, data, device);
        TrainingView view = new TrainingView("pretrain", training.steps)) {
      view.say(
          "%,d parameters, %,d windows of %d tokens an epoch"
              .formatted(
                  trainer.decoder().parameterCount(), data.trainingWindows(), training.seqLen));
      TrainLoop.Outcome outcome =
          new TrainLoop(trainer, loop, device.kernels(), view, interrupt::wanted).run();
      view.plot(training.out.resolve("loss.svg"), outcome.history(), "Training loss, nats a token");
      if (!outcome.finished()) {
        view.stopped(outcome);
        return 1;
      }
      OptionalInt end = tokenizer.id(END);
      HfConfig hf =
          new HfConfig(
              config,
              end,
              end.isPresent() ? List.of(end.getAsInt()) : List.of(),
              Optional.of(save));
      ModelWriter.write(training.out, trainer.decoder(), save, device.kernels());
      HfConfigWriter.write(training.out.resolve("config.json"), hf);
      view.say(PeakMemory.now().describe());
      if (json) {
        System.out.println(Json.compact(training.result(outcome, 50)));
      }
      return 0;
    }
  }

  private DecoderConfig config(int vocabSize) {
    return new DecoderConfig(
        layers,
        hidden,
        heads,
        kvHeads,
        headSize(),
        ffn,
        vocabSize,
        context == null ? training.seqLen : context,
        1e-5,
        10000,
        false,
        false,
        false,
        true);
  }

  private int headSize() {
    if (heads < 1 || hidden % heads != 0) {
      throw new InputException("--hidden " + hidden + " must be a multiple of --heads " + heads);
    }
    return hidden / heads;
  }

  /** The tokenizer given, or the one this run has trained before, or a new one. */
  private Tokenizer tokenizer() {
    Path own = training.out.resolve("tokenizer.json");
    if (tokenizerFile != null) {
      copy(tokenizerFile, own);
    }
    if (Files.exists(own)) {
      return TokenizerJson.read(own);
    }
    System.err.println("training a tokenizer of " + vocab + " tokens");
    SubwordTokenizer trained =
        new BpeTrainer(new BpeTrainer.Options(vocab, List.of(END), true, 2))
            .addFiles(training.data)
            .train();
    OptionalInt end = trained.id(END);
    TokenizerJsonWriter.write(trained.withSpecials(OptionalInt.empty(), end), own);
    return TokenizerJson.read(own);
  }

  private static void copy(Path from, Path to) {
    try {
      AtomicFiles.write(to, Files.readAllBytes(from));
    } catch (IOException e) {
      throw new InputException(from + ": cannot be read: " + e.getMessage(), e);
    }
  }
}
