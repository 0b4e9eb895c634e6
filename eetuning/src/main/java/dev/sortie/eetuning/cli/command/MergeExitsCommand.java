package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.option.BackboneMixin;
import dev.sortie.eetuning.cli.option.ExitWords;
import dev.sortie.eetuning.cli.option.NewExitsMixin;
import dev.sortie.eetuning.cli.option.UsedModelMixin;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.Lookahead;
import dev.sortie.eetuning.exit.NgramTable;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.data.TokenDataset;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Combines exits that were tuned apart. */
@Command(
    name = "merge-exits",
    mixinStandardHelpOptions = true,
    description =
        "Combines exits of one model that were tuned separately, or copies those of "
            + "one folder. Two exits at the same depth are an error, unless --replace "
            + "is given. With --accept-backbone, the result belongs to --model too and "
            + "is no longer measured on it before each use.")
public final class MergeExitsCommand implements Callable<Integer> {
  /** Tokens of the text whose n-grams are counted; each takes 12 bytes of heap meanwhile. */
  private static final long MOST_TOKENS = 100_000_000;

  @Mixin private ComputeMixin compute;
  @Mixin private UsedModelMixin model;
  @Mixin private BackboneMixin backbone;
  @Mixin private NewExitsMixin result;

  @Parameters(
      arity = "1..*",
      paramLabel = "DIR",
      converter = ExitWords.Folder.class,
      description = "Folders with exits.")
  private List<Path> folders;

  @Option(
      names = "--replace",
      description =
          "If two folders have an exit at the same depth, or both have n-grams, take "
              + "those of the later folder.")
  private boolean replace;

  @Option(
      names = "--ngrams",
      paramLabel = "FILE",
      description =
          "Count which token follows one or two others most often in this text, and "
              + "store it for drafts: a token file, such as train.bin of sample. Best "
              + "is text that the model wrote. Replaces n-grams of the folders.")
  private Path text;

  @Override
  public Integer call() {
    result.check();
    try (Device device = compute.open();
        LanguageModel m = model.load(device);
        NativeArena arena = new NativeArena("exits")) {
      Map<Integer, Exit> byDepth = new TreeMap<>();
      Optional<Lookahead> lookahead = Optional.empty();
      Map<Integer, Path> from = new TreeMap<>();
      Map<String, Object> tuning = new LinkedHashMap<>();
      Optional<NgramTable> ngrams = text == null ? Optional.empty() : Optional.of(count(m));
      Path ngramsFrom = null;
      List<Exits> read = new ArrayList<>();
      for (Path folder : folders) {
        Exits exits = backbone.readExact(folder, m, arena, device);
        read.add(exits);
        for (Exit e : exits.exits()) {
          note(e.depth(), folder, from);
          byDepth.put(e.depth(), e);
        }
        if (exits.lookahead().isPresent()) {
          note(m.config().decoder().layers(), folder, from);
          lookahead = exits.lookahead();
        }
        if (text == null && exits.ngrams().isPresent()) {
          if (ngramsFrom != null && !replace) {
            throw new InputException(
                "both %s and %s have n-grams; use --replace for the latter, or --ngrams for new ones"
                    .formatted(ngramsFrom, folder));
          }
          ngramsFrom = folder;
          ngrams = exits.ngrams();
        }
        if (folders.size() == 1) {
          tuning.putAll(exits.tuning());
        } else if (!exits.tuning().isEmpty()) { // else the exits would count as tuned
          tuning.put(folder.toString(), exits.tuning());
        }
      }
      List<String> backbones =
          read.getFirst().backbones().stream()
              .filter(b -> read.stream().allMatch(exits -> exits.backbones().contains(b)))
              .toList();
      Exits merged =
          new Exits(
              backbones.getFirst(),
              backbones.subList(1, backbones.size()),
              tuning,
              new ArrayList<>(byDepth.values()),
              lookahead,
              ngrams);
      result.write(merged, m, folders);
    }
    return 0;
  }

  /** Counts the n-grams of the text. */
  private NgramTable count(LanguageModel m) {
    if (!TokenDataset.isTokenFile(text)) {
      throw new InputException(
          "--ngrams %s is no token file; give train.bin of sample, or tokens.bin of tune"
              .formatted(text));
    }
    int vocab = m.config().decoder().vocab();
    try (TokenDataset data = TokenDataset.open(text)) {
      if (data.vocabSize() > vocab || vocab > NgramTable.MAX_VOCAB) {
        throw new InputException(
            "--ngrams %s has token ids below %d, the model has %d; give a file made with this model's tokenizer; at most %d tokens are supported"
                .formatted(text, data.vocabSize(), vocab, NgramTable.MAX_VOCAB));
      }
      if (data.size() > MOST_TOKENS) {
        throw new InputException(
            "--ngrams %s has %d tokens; give %d at most".formatted(text, data.size(), MOST_TOKENS));
      }
      return NgramTable.count(data.all());
    }
  }

  private void note(int depth, Path folder, Map<Integer, Path> from) {
    Path before = from.put(depth, folder);
    if (before != null && !replace) {
      throw new InputException(
          "both "
              + before
              + " and "
              + folder
              + " have an exit at depth "
              + depth
              + "; drop one with drop-exits, or use --replace");
    }
  }
}
