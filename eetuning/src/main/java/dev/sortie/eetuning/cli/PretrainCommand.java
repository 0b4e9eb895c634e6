package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.Folders;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.train.DatasetSource;
import dev.sortie.eetuning.train.LoopOptions;
import dev.sortie.eetuning.train.PretrainLayout;
import dev.sortie.eetuning.train.PretrainMemory;
import dev.sortie.eetuning.train.PretrainModel;
import dev.sortie.eetuning.train.PretrainOptions;
import dev.sortie.eetuning.train.PretrainPlan;
import dev.sortie.eetuning.train.Pretrainer;
import dev.sortie.eetuning.train.Team;
import dev.sortie.eetuning.train.TrainLoop;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.AtomicFiles;
import dev.sortie.nn.format.HfConfig;
import dev.sortie.nn.format.HfConfigWriter;
import dev.sortie.nn.format.Json;
import dev.sortie.nn.format.Sha256;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.nn.model.ModelWriter;
import dev.sortie.nn.model.Precision;
import dev.sortie.nn.text.BpeTrainer;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.TokenizerJson;
import dev.sortie.nn.text.TokenizerJsonWriter;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.shard.ShareBuilder;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
        "Trains a Llama-type decoder from scratch, with a tokenizer of its own, into a Hugging Face folder; also with exits, and on several ranks in a job started by launch.")
final class PretrainCommand implements Callable<Integer> {
  private static final String END = "<|endoftext|>";

  @Mixin private ComputeOptions compute;
  @Mixin private TrainingOptions training;
  @Mixin private RankOptions ranks;
  @Mixin private PretrainExitOptions exits;
  @Mixin private PretrainScheduleOptions schedule;

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
            training.seed,
            exits.exits(layers));
    checkRanks(options); // sizes are refused before anything is written
    if (training.dryRun) {
      MemoryView.show(memory(options), json);
      return 0;
    }
    try (Interrupt interrupt = new Interrupt();
        Team team = ranks.join()) {
      try {
        return train(options, loop, team, interrupt);
      } catch (RuntimeException e) {
        team.abort(String.valueOf(e.getMessage()));
        throw e;
      }
    }
  }

  private PretrainMemory memory(PretrainOptions options) {
    return new PretrainMemory(
        config(expectedVocab()),
        options,
        training.seqLen,
        ranks.mesh(),
        schedule.layout(),
        ranks.isSequenceParallel(),
        training.asyncCheckpoints);
  }

  /** Of the tokenizer that is there, or as many as a new one may have. */
  private int expectedVocab() {
    Path file = tokenizerFile == null ? ownFile() : tokenizerFile;
    return tokenizerFile != null || Files.exists(file)
        ? TokenizerJson.read(file).vocabSize()
        : vocab;
  }

  private void checkRanks(PretrainOptions options) {
    Mesh mesh = ranks.mesh();
    DecoderConfig config = config(vocab);
    if (ranks.isSequenceParallel() && (mesh.tp() == 1 || training.seqLen % mesh.tp() != 0)) {
      throw new InputException(
          "--sequence-parallel with --tp %d and --seq-len %d: take --tp 2 or more, and a length that is a multiple of it"
              .formatted(mesh.tp(), training.seqLen));
    }
    PretrainLayout layout = schedule.layout();
    layout.check(options, mesh);
    schedule.plot(mesh.pp());
    ranks.split();
    new PretrainPlan( // more pieces than layers are refused
        config, options.exits().specs(), training.seqLen, layout.chain(mesh.pp()));
  }

  private int train(PretrainOptions options, LoopOptions loop, Team team, Interrupt interrupt) {
    Folders.create(training.out);
    Tokenizer tokenizer = team.firstOfRanks(this::tokenizer, this::ownTokenizer);
    DecoderConfig config = config(tokenizer.vocabSize());
    try (Device device = compute.open(team.neighbours());
        DatasetSource data =
            team.firstOfRanks(
                () -> training.dataset(tokenizer), () -> training.madeDataset(tokenizer));
        TrainingView view = new TrainingView("pretrain", training.steps)) {
      TrainLoop.Outcome outcome = train(config, options, loop, data, device, team, interrupt, view);
      if (team.leads()) {
        view.plot(
            training.out.resolve("loss.svg"), outcome.history(), "Training loss, nats a token");
      }
      if (!outcome.finished()) {
        if (team.leads()) {
          view.stopped(outcome);
        }
        return 1;
      }
      List<Long> peaks = team.gather(PeakMemory.now().bytes());
      if (team.leads()) {
        Map<String, Object> hashes = write(config, options, tokenizer, data, device);
        view.say(PeakMemory.now().describe());
        if (peaks.size() > 1) {
          view.say(PeakMemory.describe(peaks));
        }
        if (json) {
          Map<String, Object> result = training.result(outcome, 50);
          if (peaks.size() > 1) {
            result.put("peak_resident_bytes_by_rank", peaks);
          }
          result.putAll(hashes);
          System.out.println(Json.compact(result));
        }
      }
      return 0;
    }
  }

  private TrainLoop.Outcome train(
      DecoderConfig config,
      PretrainOptions options,
      LoopOptions loop,
      DatasetSource data,
      Device device,
      Team team,
      Interrupt interrupt,
      TrainingView view) {
    PretrainLayout layout = schedule.layout();
    PretrainPlan plan =
        PretrainPlan.of(
            config,
            options,
            training.seqLen,
            layout.chain(team.mesh().pp()),
            ranks.split(),
            training.out,
            team,
            device);
    int rounds = options.microBatches() / team.mesh().dp();
    ScheduleView picture = new ScheduleView(1, rounds, layout.chunks(), team);
    Optional<ShareBuilder> share =
        team.shares().map(group -> new ShareBuilder(group, ranks.isSequenceParallel()));
    try (Pretrainer trainer =
        new Pretrainer(config, options, data, device, share, team, layout, plan, picture.trace())) {
      if (team.leads()) {
        view.say(
            "%,d parameters%s, %,d windows of %d tokens an epoch"
                .formatted(
                    trainer.parameterCount(),
                    share.isPresent() ? " on this rank" : "",
                    data.trainingWindows(),
                    training.seqLen));
        if (team.mesh().pp() > 1) {
          plan.describe().forEach(view::say);
        }
      }
      TrainLoop.Listener listener = team.leads() ? view : TrainLoop.Listener.NONE;
      TrainLoop.Outcome outcome =
          new TrainLoop(trainer, loop, device.kernels(), team, listener, interrupt::wanted).run();
      Path plot = schedule.plot(team.mesh().pp());
      if (plot != null && outcome.finished()) {
        picture.draw(plot, (_, count, seconds) -> plan.timeline(layout.schedule(), count, seconds));
      }
      return outcome;
    }
  }

  /**
   * Writes the model, and exits beside it, from the last checkpoint, where they are whole however
   * many ranks trained them.
   *
   * @return hashes of the weight files, for {@code --json}
   */
  private Map<String, Object> write(
      DecoderConfig config,
      PretrainOptions options,
      Tokenizer tokenizer,
      DatasetSource data,
      Device device) {
    Path out = training.out;
    Map<String, Object> hashes = new LinkedHashMap<>();
    try (NativeArena arena = new NativeArena("finished model")) {
      PretrainModel finished =
          PretrainModel.finished(out, config, options.exits(), arena, device.kernels());
      OptionalInt end = tokenizer.id(END);
      List<Integer> ends = end.isPresent() ? List.of(end.getAsInt()) : List.of();
      ModelWriter.write(out, finished.decoder(), save, device.kernels());
      HfConfigWriter.write(
          out.resolve("config.json"), new HfConfig(config, end, ends, Optional.of(save)));
      hashes.put("model_sha256", Sha256.of(out.resolve("model.safetensors")));
      if (!finished.exits().isEmpty()) {
        Map<String, Object> tuning = new LinkedHashMap<>(options.describe());
        tuning.put("seq_len", training.seqLen);
        tuning.put("data", data.fingerprint());
        try (LanguageModel model = LanguageModel.load(out, Precision.F32, device)) {
          ExitsFile.write(out, new Exits(model.sha256(), tuning, finished.exits()), model);
        }
        hashes.put("exits_sha256", Sha256.of(out.resolve(ExitsFile.TENSORS)));
      }
    }
    return hashes;
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
    Path own = ownFile();
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

  private Path ownFile() {
    return training.out.resolve("tokenizer.json");
  }

  /** What rank 0 has put there. */
  private Tokenizer ownTokenizer() {
    if (!Files.exists(ownFile())) {
      throw new InputException(
          ownFile()
              + ": not there, rank 0 has put it there; --out must be in a folder that all ranks share");
    }
    return TokenizerJson.read(ownFile());
  }

  private static void copy(Path from, Path to) {
    try {
      AtomicFiles.write(to, Files.readAllBytes(from));
    } catch (IOException e) {
      throw new InputException(from + ": cannot be read: " + e.getMessage(), e);
    }
  }
}
