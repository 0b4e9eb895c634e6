package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.eetuning.cli.view.TrainingView;
import dev.sortie.eetuning.host.OutputFile;
import dev.sortie.eetuning.host.PeakMemory;
import dev.sortie.eetuning.train.TrainingDefaults;
import dev.sortie.eetuning.train.checkpoint.Checkpoints;
import dev.sortie.eetuning.train.data.DatasetSource;
import dev.sortie.eetuning.train.loop.LoopOptions;
import dev.sortie.eetuning.train.loop.TrainLoop;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.file.TextFiles;
import dev.sortie.nn.json.JsonLines;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.data.TokenDataset;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** Options that pretrain and tune share. */
public final class TrainingMixin {
  private static final Path SELF = Path.of("self");

  @Option(
      names = "--data",
      required = true,
      arity = "1..*",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description =
          "UTF-8 text files, one document each; .jsonl files, a document in the "
              + "field text of each line; or one file of token ids, by "
              + "name. tune also accepts self: text sampled from the model, seeded with the first "
              + "words of any text files that follow."
              + ReadOnce.HELP)
  private List<Path> named;

  private List<Path> files;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Folder of the run. Run the same command again to resume.")
  public Path out;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "" + TrainingDefaults.STEPS,
      description = "Number of optimiser steps. Default: ${DEFAULT-VALUE}.")
  public int steps;

  @Option(
      names = "--seq-len",
      paramLabel = "N",
      defaultValue = "" + TrainingDefaults.LENGTH,
      description = "Sequence length in tokens. Default: ${DEFAULT-VALUE}.")
  public int seqLen;

  @Option(
      names = "--micro-batch",
      paramLabel = "N",
      defaultValue = "" + TrainingDefaults.BATCH,
      description = "Sequences per forward and backward pass. Default: ${DEFAULT-VALUE}.")
  public int microBatch;

  @Option(
      names = "--global-batch",
      paramLabel = "N",
      description =
          "Sequences per optimiser step; gradients of micro-batches are "
              + "accumulated. Default: --micro-batch.")
  Integer globalBatch;

  @Option(
      names = "--lr",
      paramLabel = "X",
      defaultValue = "" + TrainingDefaults.LEARNING_RATE,
      description = "Peak learning rate. Default: ${DEFAULT-VALUE}.")
  double lr;

  @Option(
      names = "--min-lr",
      paramLabel = "X",
      description = "Final learning rate. Default: a tenth of --lr.")
  Double minLr;

  @Option(
      names = "--warmup",
      paramLabel = "N",
      description = "Number of warm-up steps. Default: a hundredth of --steps.")
  Integer warmup;

  @Option(
      names = "--decay",
      paramLabel = "KIND",
      defaultValue = "cosine",
      description =
          "Learning rate schedule after warm-up: cosine, linear or constant. "
              + "Default: ${DEFAULT-VALUE}.")
  Schedule.Decay decay;

  @Option(
      names = "--weight-decay",
      paramLabel = "X",
      defaultValue = "" + AdamW.Options.WEIGHT_DECAY,
      description = "Weight decay of AdamW, applied to matrices. Default: ${DEFAULT-VALUE}.")
  double weightDecay;

  @Option(
      names = "--clip",
      paramLabel = "X",
      defaultValue = "" + AdamW.Options.CLIP,
      description =
          "Maximum gradient norm; larger gradients are scaled down. Default: "
              + "${DEFAULT-VALUE}.")
  double clip;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "" + TrainingDefaults.SEED,
      description =
          "Random seed for the order of the data and initial weights. Default: "
              + "${DEFAULT-VALUE}.")
  public long seed;

  @Option(
      names = "--held-out",
      paramLabel = "X",
      defaultValue = "" + TrainingDefaults.HELD_OUT,
      description = "Fraction of the data held out for validation. Default: ${DEFAULT-VALUE}.")
  double heldOut;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "N",
      defaultValue = "" + TrainingDefaults.CHECKPOINT_EVERY,
      description = "Steps between checkpoints. Default: ${DEFAULT-VALUE}.")
  int checkpointEvery;

  @Option(
      names = "--keep-checkpoints",
      paramLabel = "N",
      defaultValue = "" + TrainingDefaults.KEPT_CHECKPOINTS,
      description = "Number of checkpoints to keep. Default: ${DEFAULT-VALUE}.")
  int keepCheckpoints;

  @Option(
      names = "--async-checkpoints",
      description =
          "Write checkpoints in the background, from a copy of the parameters and "
              + "optimiser state in memory, while training continues. A failed write "
              + "ends the run at the next step.")
  public boolean asyncCheckpoints;

  @Option(
      names = "--validate-every",
      paramLabel = "N",
      defaultValue = "" + TrainingDefaults.VALIDATE_EVERY,
      description = "Steps between validations. Default: ${DEFAULT-VALUE}.")
  int validateEvery;

  @Option(
      names = "--step-log",
      paramLabel = "FILE",
      description =
          "Append one JSON object per step to FILE: step number, Unix time at its "
              + "end, losses, tokens per second.")
  public Path stepLog;

  @Option(
      names = "--dry-run",
      description =
          "Print the memory that each rank needs and the largest micro-batch that "
              + "fits, without training.")
  public boolean dryRun;

  /** Whether the data are the model's own: the word {@code self}, then maybe text files. */
  public boolean isSelfData() {
    return named.getFirst().equals(SELF);
  }

  /**
   * The data as files that can be read again: a tokenizer is trained on them too, and sampled text
   * begins with words of them many times. What a pipe gives is kept in a temporary file; if it
   * begins with a brace, each line is a document.
   */
  public List<Path> data() {
    if (files == null) {
      files = named.stream().map(TrainingMixin::file).toList();
    }
    return files;
  }

  private static Path file(Path text) {
    boolean pipe = NamedInput.isStandard(text) || Files.exists(text) && !Files.isRegularFile(text);
    if (!pipe) {
      return text;
    }
    try {
      Path copy = Files.createTempFile("sortie-data-", ".txt");
      copy.toFile().deleteOnExit();
      StringBuilder beginning = new StringBuilder();
      try (Writer out = Files.newBufferedWriter(copy)) {
        TextFiles.parts(
            text,
            part -> {
              write(out, part);
              if (beginning.isEmpty()) {
                beginning.append(part.stripLeading());
              }
            });
      }
      if (!JsonLines.isIn(text, beginning.toString())) {
        return copy;
      }
      Path lines = Files.createTempFile("sortie-data-", ".jsonl");
      lines.toFile().deleteOnExit();
      return Files.move(copy, lines, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException | UncheckedIOException e) {
      throw new InputException(
          NamedInput.name(text)
              + ": cannot be kept in a temporary file: "
              + InputFiles.reason(
                  e instanceof UncheckedIOException u ? u.getCause() : (IOException) e)
              + "; check the disk, or name a file",
          e);
    }
  }

  private static void write(Writer out, String part) {
    try {
      out.write(part);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public int globalBatch() {
    return globalBatch == null ? microBatch : globalBatch;
  }

  /**
   * Refuses to write over what another run, or another command, has written.
   *
   * @param results files that this run writes at its end
   */
  public void checkOut(String... results) {
    if (Files.exists(out.resolve(Checkpoints.FOLDER))) {
      return; // they say what they are of
    }
    for (String result : results) {
      if (Files.exists(out.resolve(result))) {
        throw new InputException(
            "--out %s holds %s, and no checkpoints of a run that could go on; give another folder"
                .formatted(out, result));
      }
    }
  }

  /** Refuses numbers that no run can have, by the option's name. */
  public void check() {
    require(seqLen >= 1, "--seq-len", seqLen, "at least 1");
    require(positive(lr), "--lr", lr, "positive");
    if (minLr != null) {
      require(minLr >= 0 && minLr <= lr, "--min-lr", minLr, "from 0 to --lr " + lr);
    }
    if (warmup != null) {
      require(warmup >= 0 && warmup <= steps, "--warmup", warmup, "from 0 to --steps " + steps);
    }
    require(weightDecay == 0 || positive(weightDecay), "--weight-decay", weightDecay, "0 or more");
    require(positive(clip), "--clip", clip, "positive");
    if (named.size() > 1) {
      named.stream()
          .filter(TokenDataset::isTokenFile)
          .findFirst()
          .ifPresent(
              file -> {
                throw new UsageException(
                    "--data %s is a file of token ids; give it alone".formatted(file));
              });
    }
    require(heldOut >= 0 && heldOut < 1, "--held-out", heldOut, "from 0 to below 1");
    if (stepLog != null) {
      OutputFile.check("--step-log", stepLog, out);
      OutputFile.requireKind("--step-log", stepLog, TrainingView.STEP);
    }
  }

  private static boolean positive(double x) {
    return x > 0 && x < Double.POSITIVE_INFINITY;
  }

  private static void require(boolean ok, String option, Number value, String allowed) {
    if (!ok) {
      throw new UsageException(option + " " + value + " must be " + allowed);
    }
  }

  public LoopOptions loop() {
    return new LoopOptions(
        out, steps, checkpointEvery, validateEvery, keepCheckpoints, asyncCheckpoints);
  }

  /** Tokenises the data into the run's folder, or opens a token file as it is. */
  public DatasetSource dataset(Tokenizer tokenizer) {
    return isTokenFile()
        ? tokens(data().getFirst(), tokenizer.vocabSize())
        : DatasetSource.build(
            tokenizer, data(), tokenized(), Checkpoints.begun(out), seqLen, heldOut, seed);
  }

  /** Opens what another rank's {@link #dataset} has made. */
  public DatasetSource madeDataset(Tokenizer tokenizer) {
    return tokens(isTokenFile() ? data().getFirst() : tokenized(), tokenizer.vocabSize());
  }

  private boolean isTokenFile() {
    return data().size() == 1 && TokenDataset.isTokenFile(data().getFirst());
  }

  private Path tokenized() {
    return out.resolve("tokens.bin");
  }

  /** Opens a token file. */
  DatasetSource tokens(Path file, int vocab) {
    return DatasetSource.open(file, seqLen, heldOut, seed, vocab);
  }

  /**
   * What {@code --json} says of a finished run.
   *
   * @param recent how many of the last steps' losses to average
   */
  public Map<String, Object> result(TrainLoop.Outcome outcome, int recent) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("steps", steps);
    result.put("losses", outcome.history().recent(recent));
    result.put("validation", outcome.history().lastValidation());
    result.put("tokens_per_second", outcome.tokensPerSecond());
    result.put("steady_tokens_per_second", outcome.steadyTokensPerSecond());
    result.put("peak_resident_bytes", PeakMemory.now().bytes());
    return result;
  }

  public Schedule schedule() {
    return new Schedule(
        lr,
        minLr == null ? TrainingDefaults.floor(lr) : minLr,
        warmup == null ? TrainingDefaults.warmup(steps) : warmup,
        steps,
        decay);
  }

  public AdamW.Options adamW() {
    AdamW.Options d = AdamW.Options.DEFAULT;
    return new AdamW.Options(d.beta1(), d.beta2(), d.epsilon(), weightDecay, clip);
  }
}
