package dev.sortie.eetuning.exit;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Linear;
import dev.sortie.nn.Printable;
import dev.sortie.nn.Weights;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.load.FileWeights;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * Reads exits for a model from the files that {@link ExitsFile} describes. What {@link #of} makes
 * holds matrices for decoding, of all exits in the folder, and refuses those of another backbone;
 * each other method returns a reader that differs in one of that.
 */
public final class ExitsReader {
  private final LanguageModel model;
  private final boolean exact;
  private final boolean anyBackbone;
  private final Predicate<ExitOutline> wanted;

  /** Depths that have to be there. */
  private final List<Integer> asked;

  private ExitsReader(
      LanguageModel model,
      boolean exact,
      boolean anyBackbone,
      Predicate<ExitOutline> wanted,
      List<Integer> asked) {
    this.model = model;
    this.exact = exact;
    this.anyBackbone = anyBackbone;
    this.wanted = wanted;
    this.asked = asked;
  }

  /** Exits for decoding with {@code model}; how matrices are held: {@link QuantizedWeights}. */
  public static ExitsReader of(LanguageModel model) {
    return new ExitsReader(model, false, false, exit -> true, List.of());
  }

  /** All weights in F32, for what is trained or goes into a file again. */
  public ExitsReader exact() {
    return new ExitsReader(model, true, anyBackbone, wanted, asked);
  }

  /**
   * Exits of any backbone of the same sizes: their weights fit, and how well they predict has to be
   * measured.
   */
  public ExitsReader ofAnyBackbone() {
    return new ExitsReader(model, exact, true, wanted, asked);
  }

  /**
   * Only some exits, for a process that holds some layers of the model; of the others no weight is
   * read.
   *
   * @param depths whether an exit is wanted, by its depth
   */
  public ExitsReader at(IntPredicate depths) {
    return new ExitsReader(model, exact, anyBackbone, e -> depths.test(e.depth()), asked);
  }

  /**
   * The exits that early exit leaves at, by their depths, with the {@link FinalDraft} if the number
   * of layers is one of them. Of others no weight is read, which would take 0.4 s of a cold start
   * with those of SmolLM2-135M.
   *
   * @param depths {@link #read} refuses those at which no exit stands
   */
  public ExitsReader asked(List<Integer> depths) {
    List<Integer> asked = List.copyOf(depths);
    return new ExitsReader(
        model, exact, anyBackbone, e -> !e.isLookahead() && asked.contains(e.depth()), asked);
  }

  /**
   * Reads the exits in {@code folder}.
   *
   * @param allocator where their weights live
   * @throws InputException if a file is missing or wrong, or the exits belong to another backbone
   */
  public Exits read(Path folder, Allocator allocator, Kernels kernels) {
    DType type = exact ? DType.F32 : QuantizedWeights.typeFor(model);
    Path description = folder.resolve(ExitsFile.DESCRIPTION);
    JsonObject root = ExitsFile.description(folder);
    JsonObject backbone = root.getObject("backbone");
    checkSizes(description, backbone, model);
    String sha256 = backbone.getString("sha256");
    List<String> checked =
        backbone.optional(ExitsFile.CHECKED, backbone::getStrings).orElse(List.of());
    if (!anyBackbone && !sha256.equals(model.sha256()) && !checked.contains(model.sha256())) {
      throw new InputException(
          "%s: backbone.sha256 is %s, but that of the model %s is %s: these exits were tuned for another backbone; give the model they were made for; if it is the same one in another file type, --accept-backbone measures them on it, and merge-exits --accept-backbone writes exits that every command takes with it"
              .formatted(description, Printable.line(sha256), model.path(), model.sha256()));
    }
    try (Safetensors file = Safetensors.open(folder.resolve(ExitsFile.TENSORS));
        NativeArena stored = new NativeArena("exits as stored")) {
      FileWeights weights =
          new FileWeights(file, Precision.F32, type == DType.F32 ? allocator : stored, kernels);
      boolean plain = type == DType.F32;
      Allocator rows = plain ? allocator : stored;
      List<Exit> exits = new ArrayList<>();
      Set<Integer> depths = new HashSet<>();
      SequencedSet<Integer> there = new TreeSet<>();
      Set<String> notWeights = new HashSet<>();
      // one copy for all exits that cover the same tokens: what one has read the next finds in
      // cache
      Map<DraftVocabulary, Linear> heads = new HashMap<>();
      QuantizedWeights whole = new QuantizedWeights(weights, type, allocator, kernels);
      BiFunction<DraftVocabulary, Linear, Linear> hold =
          (draft, head) -> plain ? head : heads.computeIfAbsent(draft, d -> whole.head(head));
      NavigableMap<Integer, DraftVocabulary> rowsOfBackbone = new TreeMap<>();
      Optional<Lookahead> lookahead = Optional.empty();
      for (JsonObject one : root.getObjects("exits")) {
        ExitOutline outline = ExitsFile.outline(one, model.config().decoder());
        int depth = outline.depth();
        boolean own = outline.ownHead();
        if (!depths.add(depth)) {
          throw one.error("depth", "a depth that no exit before it has");
        }
        Optional<DraftVocabulary> draft =
            draft(
                outline.draftTokens(),
                file,
                ExitsFile.prefix(depth) + ExitsFile.DRAFT_IDS,
                model,
                notWeights);
        if (!outline.isLookahead()) {
          there.add(depth);
          if (!own) {
            draft.ifPresent(d -> rowsOfBackbone.put(depth, d));
          }
        }
        if (!wanted.test(outline)) {
          file.tensors().keySet().stream()
              .filter(name -> name.startsWith(ExitsFile.prefix(depth)))
              .forEach(notWeights::add);
          continue;
        }
        Weights share = Heads.sharding(model.decoder(), draft).share(weights);
        QuantizedWeights held = new QuantizedWeights(share, type, allocator, kernels);
        Weights named = (plain ? share : held).under(ExitsFile.prefix(depth));
        UnaryOperator<Linear> holdHead = head -> hold.apply(draft.orElseThrow(), head);
        if (outline.isLookahead()) {
          lookahead =
              Optional.of(
                  new Lookahead(model.decoder(), named, outline.features(), own, draft, rows)
                      .withDraftHead(holdHead));
        } else {
          ExitArchitecture architecture = outline.architecture().orElseThrow();
          ExitSpec spec = new ExitSpec(depth, architecture, own, outline.draftTokens());
          Exit exit = new Exit(spec, model.decoder(), named, draft, rows).withDraftHead(holdHead);
          exits.add(exit.with(Gates.read(one, named, model.config().decoder())));
        }
      }
      weights.refuseUnused(notWeights);
      int layers = model.config().decoder().layers();
      if (!rowsOfBackbone.isEmpty() && there.add(layers) && asked.contains(layers)) {
        DraftVocabulary draft = rowsOfBackbone.lastEntry().getValue();
        Linear head = hold.apply(draft, Heads.rows(model.decoder(), draft, rows));
        exits.add(Exit.afterLastLayer(model.decoder(), draft, head));
      }
      Exits.requireAll(List.copyOf(there), asked);
      return new Exits(
          sha256,
          checked,
          root.getObject("tuning").fields(),
          exits,
          lookahead,
          NgramFile.read(folder, model.config().decoder().vocab()));
    }
  }

  /** The tokens of a draft head, if it is one; their tensor is noted among those that are read. */
  private static Optional<DraftVocabulary> draft(
      int count, Safetensors file, String name, LanguageModel model, Set<String> read) {
    if (count == 0) {
      return Optional.empty();
    }
    read.add(name);
    Span ids = file.read(name);
    if (ids.dtype() != DType.I32 || ids.length() != count) {
      throw new InputException(
          file.origin()
              + ": tensor "
              + name
              + " has "
              + ids.length()
              + " elements of "
              + ids.dtype()
              + ", "
              + ExitsFile.DRAFT_TOKENS
              + " in "
              + ExitsFile.DESCRIPTION
              + " needs "
              + count
              + " of I32");
    }
    try {
      int[] elements = ids.segment().toArray(ValueLayout.JAVA_INT_UNALIGNED);
      return Optional.of(new DraftVocabulary(elements, model.config().decoder().vocab()));
    } catch (InputException e) {
      throw new InputException(file.origin() + ": tensor " + name + ": " + e.getMessage(), e);
    }
  }

  private static void checkSizes(Path file, JsonObject backbone, LanguageModel model) {
    var c = model.config().decoder();
    equal(file, "backbone.layers", backbone.getInt("layers", 1, 1 << 20), c.layers(), model);
    equal(file, "backbone.hidden", backbone.getInt("hidden", 1, 1 << 24), c.hidden(), model);
    equal(file, "backbone.vocab", backbone.getInt("vocab", 1, 1 << 24), c.vocab(), model);
  }

  private static void equal(Path file, String field, Object found, Object model, LanguageModel of) {
    if (!found.equals(model)) {
      throw new InputException(
          file
              + ": "
              + field
              + " is "
              + Printable.line(found.toString())
              + ", but that of the model "
              + of.path()
              + " is "
              + model
              + ": these exits belong to another backbone; give the model they were made for");
    }
  }
}
