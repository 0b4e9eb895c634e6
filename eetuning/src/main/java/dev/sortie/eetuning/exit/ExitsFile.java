package dev.sortie.eetuning.exit;

import dev.sortie.eetuning.host.Folders;
import dev.sortie.nn.InputException;
import dev.sortie.nn.Linear;
import dev.sortie.nn.Printable;
import dev.sortie.nn.Weights;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.load.FileWeights;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;

/**
 * Exits on disk; the backbone is not touched: {@code exits.safetensors} with tensors {@code
 * exits.DEPTH.NAME}, and {@code exits.json} that says what they are:
 *
 * <pre>
 * {"format": "sortie-exits", "version": 1,
 *  "backbone": {"sha256": "…", "layers": 12, "hidden": 192, "vocab": 1024},
 *  "exits": [{"depth": 4, "architecture": "mlp", "head": "own"}],
 *  "tuning": {…}}
 * </pre>
 *
 * {@code "checked"} of the backbone, if it is there, lists the hashes of other files of the model
 * on which the exits were measured. An exit with a draft head has {@code "draft_tokens": N} and a
 * tensor {@code exits.DEPTH.draft.ids}, I32 {@code [N]}, rising. A lookahead exit is one of {@code
 * exits}, of architecture {@code lookahead}; its depth is the number of layers. Gates lie in {@code
 * exits.DEPTH.probe.…} and {@code exits.DEPTH.coverage.…}, with their errors in {@code "gates"}.
 * Files with any of these are of version 2.
 */
public final class ExitsFile {
  /** Tensor file. */
  public static final String TENSORS = "exits.safetensors";

  /** Description. */
  public static final String DESCRIPTION = "exits.json";

  private static final String FORMAT = "sortie-exits";
  private static final int OLDEST = 1;
  private static final int NEWEST = 2;
  private static final String CHECKED = "checked";
  private static final String LOOKAHEAD = "lookahead";
  static final String DRAFT_IDS = "draft.ids";
  static final String DRAFT_TOKENS = "draft_tokens";

  private ExitsFile() {}

  /**
   * Writes both files into {@code folder}, each atomically, the description last: without it the
   * folder holds no exits. Where ranks share the exits it is a call of all of them together, and
   * each writes the same files.
   */
  public static void write(Path folder, Exits exits, LanguageModel model) {
    write(folder, exits, model, DType.F32);
  }

  /**
   * As above, with matrices in another type; norms, biases and gates stay in F32.
   *
   * @param matrices F32, or BF16, which rounds them
   */
  public static void write(Path folder, Exits exits, LanguageModel model, DType matrices) {
    try (NativeArena arena = new NativeArena("exits as they are written")) {
      write(folder, exits, model, matrices, arena);
    }
  }

  /** Gives this rank's shares to another that writes, which calls {@link #write} meanwhile. */
  public static void contribute(Exits exits, LanguageModel model) {
    try (NativeArena arena = new NativeArena("shares of exits")) {
      tensors(exits, model, new SafetensorsWriter(), DType.F32, arena);
    }
  }

  private static List<Map<String, Object>> tensors(
      Exits exits,
      LanguageModel model,
      SafetensorsWriter writer,
      DType matrices,
      NativeArena arena) {
    List<Map<String, Object>> list = new ArrayList<>();
    ExitWriter each = new ExitWriter(writer, matrices, arena, model.device().kernels());
    exits.exits().forEach(e -> list.add(each.write(e)));
    exits
        .lookahead()
        .ifPresent(
            l -> {
              int depth = model.config().decoder().layers();
              list.add(each.write(depth, LOOKAHEAD, l));
            });
    return list;
  }

  private static void write(
      Path folder, Exits exits, LanguageModel model, DType matrices, NativeArena arena) {
    SafetensorsWriter writer =
        new SafetensorsWriter()
            .metadata("format", FORMAT)
            .metadata("backbone", exits.backboneSha256());
    List<Map<String, Object>> list = tensors(exits, model, writer, matrices, arena);
    var c = model.config().decoder();
    Map<String, Object> backbone = new LinkedHashMap<>();
    backbone.put("sha256", exits.backboneSha256());
    if (!exits.checkedBackbones().isEmpty()) {
      backbone.put(CHECKED, exits.checkedBackbones());
    }
    backbone.put("layers", c.layers());
    backbone.put("hidden", c.hidden());
    backbone.put("vocab", c.vocab());
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("format", FORMAT);
    root.put("version", isNew(exits) ? NEWEST : OLDEST);
    root.put("backbone", backbone);
    root.put("exits", list);
    root.put("tuning", exits.tuning());
    Folders.create(folder);
    writer.write(folder.resolve(TENSORS));
    Json.write(folder.resolve(DESCRIPTION), root);
  }

  /** Whether there is something that version 1 does not know. */
  private static boolean isNew(Exits exits) {
    return exits.lookahead().isPresent()
        || exits.exits().stream()
            .anyMatch(e -> e.draft().isPresent() || !e.gates().equals(Gates.NONE));
  }

  /**
   * Reads the exits in {@code folder} for {@code model}, with their matrices held for decoding; see
   * {@link QuantizedWeights}.
   *
   * @param allocator where their weights live
   * @throws InputException if a file is missing or wrong, or the exits belong to another backbone
   */
  public static Exits read(Path folder, LanguageModel model, Allocator allocator, Kernels kernels) {
    return read(folder, model, allocator, kernels, depth -> true);
  }

  /**
   * As above, but only some of them, for a process that holds some layers of the model; of the
   * others no weight is read.
   *
   * @param wanted whether an exit is, by its depth
   */
  public static Exits read(
      Path folder, LanguageModel model, Allocator allocator, Kernels kernels, IntPredicate wanted) {
    DType type = QuantizedWeights.typeFor(model);
    return read(folder, model, true, type, allocator, kernels, wanted);
  }

  /**
   * As {@link #read}, but the exits may belong to any backbone of the same sizes: their weights
   * fit, and how well they predict has to be measured.
   */
  public static Exits readOfAnyBackbone(
      Path folder, LanguageModel model, Allocator allocator, Kernels kernels) {
    DType type = QuantizedWeights.typeFor(model);
    return read(folder, model, false, type, allocator, kernels, depth -> true);
  }

  /** As {@link #read}, but in F32, for what goes into a file again. */
  public static Exits readExact(
      Path folder, LanguageModel model, Allocator allocator, Kernels kernels) {
    return read(folder, model, true, DType.F32, allocator, kernels, depth -> true);
  }

  /** As {@link #readOfAnyBackbone}, but in F32, for what goes into a file again. */
  public static Exits readExactOfAnyBackbone(
      Path folder, LanguageModel model, Allocator allocator, Kernels kernels) {
    return read(folder, model, false, DType.F32, allocator, kernels, depth -> true);
  }

  private static Exits read(
      Path folder,
      LanguageModel model,
      boolean ofModel,
      DType type,
      Allocator allocator,
      Kernels kernels,
      IntPredicate wanted) {
    Path description = folder.resolve(DESCRIPTION);
    JsonObject root = description(folder);
    JsonObject backbone = root.getObject("backbone");
    checkSizes(description, backbone, model);
    String sha256 = backbone.getString("sha256");
    List<String> checked = backbone.optional(CHECKED, backbone::getStrings).orElse(List.of());
    if (ofModel && !sha256.equals(model.sha256()) && !checked.contains(model.sha256())) {
      throw new InputException(
          "%s: backbone.sha256 is %s, but that of the model %s is %s: these exits were tuned for another backbone; give the model they were made for, or --accept-backbone if it is the same one in another file type"
              .formatted(description, Printable.line(sha256), model.path(), model.sha256()));
    }
    try (Safetensors file = Safetensors.open(folder.resolve(TENSORS));
        NativeArena stored = new NativeArena("exits as stored")) {
      FileWeights weights =
          new FileWeights(file, Precision.F32, type == DType.F32 ? allocator : stored, kernels);
      boolean exact = type == DType.F32;
      Allocator rows = exact ? allocator : stored;
      List<Exit> exits = new ArrayList<>();
      Set<Integer> depths = new HashSet<>();
      Set<String> notWeights = new HashSet<>();
      Map<DraftVocabulary, Linear> heads = new HashMap<>();
      Optional<Lookahead> lookahead = Optional.empty();
      for (JsonObject one : root.getObjects("exits")) {
        ExitOutline outline = outline(one, model.config().decoder());
        int depth = outline.depth();
        boolean own = outline.ownHead();
        if (!depths.add(depth)) {
          throw one.error("depth", "a depth that no exit before it has");
        }
        if (!wanted.test(depth)) {
          file.tensors().keySet().stream()
              .filter(name -> name.startsWith(prefix(depth)))
              .forEach(notWeights::add);
          continue;
        }
        Optional<DraftVocabulary> draft =
            draft(outline.draftTokens(), file, prefix(depth) + DRAFT_IDS, model, notWeights);
        Weights share = Heads.sharding(model.decoder(), draft).share(weights);
        QuantizedWeights held = new QuantizedWeights(share, type, allocator, kernels);
        Weights named = (exact ? share : held).under(prefix(depth));
        // one copy for all exits that cover the same tokens: what one has read the next finds in
        // cache
        UnaryOperator<Linear> hold =
            exact ? h -> h : h -> heads.computeIfAbsent(draft.orElseThrow(), d -> held.head(h));
        if (outline.isLookahead()) {
          lookahead =
              Optional.of(
                  new Lookahead(model.decoder(), named, own, draft, rows).withDraftHead(hold));
        } else {
          ExitArchitecture architecture = outline.architecture().orElseThrow();
          ExitSpec spec = new ExitSpec(depth, architecture, own, outline.draftTokens());
          Exit exit = new Exit(spec, model.decoder(), named, draft, rows).withDraftHead(hold);
          exits.add(exit.with(Gates.read(one, named, model.config().decoder())));
        }
      }
      weights.refuseUnused(notWeights);
      return new Exits(sha256, checked, root.getObject("tuning").fields(), exits, lookahead);
    }
  }

  /**
   * What exits {@code folder} holds, without their weights.
   *
   * @throws InputException if the description is missing or wrong
   */
  public static List<ExitOutline> outlines(Path folder, DecoderConfig backbone) {
    return description(folder).getObjects("exits").stream()
        .map(one -> outline(one, backbone))
        .sorted(Comparator.comparingInt(ExitOutline::depth))
        .toList();
  }

  private static JsonObject description(Path folder) {
    JsonObject root = Json.read(folder.resolve(DESCRIPTION));
    root.getString("format", Set.of(FORMAT));
    root.getInt("version", OLDEST, NEWEST);
    return root;
  }

  private static ExitOutline outline(JsonObject one, DecoderConfig backbone) {
    Set<String> words = new HashSet<>(ExitArchitecture.words());
    words.add(LOOKAHEAD);
    String word = one.getString("architecture", words);
    boolean ahead = word.equals(LOOKAHEAD);
    int layers = backbone.layers();
    return new ExitOutline(
        one.getInt("depth", ahead ? layers : 1, ahead ? layers : layers - 1),
        ahead ? Optional.empty() : Optional.of(ExitArchitecture.of(word)),
        one.getString("head", Set.of("own", "backbone")).equals("own"),
        one.optional(DRAFT_TOKENS, f -> one.getInt(f, 1, backbone.vocab())).orElse(0));
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
              + DRAFT_TOKENS
              + " in "
              + DESCRIPTION
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

  /** Whether {@code folder} holds exits. */
  public static boolean exists(Path folder) {
    return Files.exists(folder.resolve(DESCRIPTION));
  }

  static String prefix(int depth) {
    return "exits." + depth + ".";
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
