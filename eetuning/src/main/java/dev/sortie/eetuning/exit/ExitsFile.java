package dev.sortie.eetuning.exit;

import dev.sortie.eetuning.host.Folders;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

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
 * exits}, of architecture {@code lookahead}; its depth is the number of layers. Where it reads the
 * hidden states of other layers than the last, it has {@code "features": [2, 6, 9]}. Gates lie in
 * {@code exits.DEPTH.probe.…} and {@code exits.DEPTH.coverage.…}, with their errors in {@code
 * "gates"}. Files with any of these are of version 2. {@link NgramFile} is a file next to them.
 */
public final class ExitsFile {
  /** Tensor file. */
  public static final String TENSORS = "exits.safetensors";

  /** Description. */
  public static final String DESCRIPTION = "exits.json";

  private static final String FORMAT = "sortie-exits";
  private static final int OLDEST = 1;
  private static final int NEWEST = 2;
  static final String CHECKED = "checked";
  private static final String LOOKAHEAD = "lookahead";
  static final String DRAFT_IDS = "draft.ids";
  static final String DRAFT_TOKENS = "draft_tokens";
  static final String FEATURES = "features";

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

  /** Takes what makes a folder one of exits away, if it is there. */
  public static void discard(Path folder) {
    AtomicFiles.delete(folder.resolve(DESCRIPTION));
  }

  /** Tells what is decoded with from other exits: the SHA-256 of the tensors, and of n-grams. */
  public static String sha256(Path folder) {
    String tensors = Sha256.of(folder.resolve(TENSORS));
    Path ngrams = folder.resolve(NgramFile.NAME);
    return Files.exists(ngrams) ? tensors + " with n-grams " + Sha256.of(ngrams) : tensors;
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
    exits.ngrams().ifPresent(table -> NgramFile.write(folder, table));
    Json.write(folder.resolve(DESCRIPTION), root);
  }

  /** Whether there is something that version 1 does not know. */
  private static boolean isNew(Exits exits) {
    return exits.lookahead().isPresent()
        || exits.exits().stream()
            .anyMatch(e -> e.draft().isPresent() || !e.gates().equals(Gates.NONE));
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

  static JsonObject description(Path folder) {
    JsonObject root = Json.read(folder.resolve(DESCRIPTION));
    root.getString("format", Set.of(FORMAT));
    root.getInt("version", OLDEST, NEWEST);
    return root;
  }

  static ExitOutline outline(JsonObject one, DecoderConfig backbone) {
    Set<String> words = new HashSet<>(ExitArchitecture.words());
    words.add(LOOKAHEAD);
    String word = one.getString("architecture", words);
    boolean ahead = word.equals(LOOKAHEAD);
    int layers = backbone.layers();
    return new ExitOutline(
        one.getInt("depth", ahead ? layers : 1, ahead ? layers : layers - 1),
        ahead ? Optional.empty() : Optional.of(ExitArchitecture.of(word)),
        one.getString("head", Set.of("own", "backbone")).equals("own"),
        one.optional(DRAFT_TOKENS, f -> one.getInt(f, 1, backbone.vocab())).orElse(0),
        ahead ? features(one, layers) : List.of());
  }

  private static List<Integer> features(JsonObject one, int layers) {
    List<Integer> wanted =
        one.optional(FEATURES, f -> one.getInts(f, 1, layers)).orElse(List.of(layers));
    if (wanted.isEmpty() || !Lookahead.deepen(wanted)) {
      throw one.error(FEATURES, "one layer or more, each deeper than the one before");
    }
    return wanted;
  }

  /** Whether {@code folder} holds exits. */
  public static boolean exists(Path folder) {
    return Files.exists(folder.resolve(DESCRIPTION));
  }

  static String prefix(int depth) {
    return "exits." + depth + ".";
  }
}
