package dev.sortie.eetuning.exit;

import dev.sortie.eetuning.Folders;
import dev.sortie.nn.InputException;
import dev.sortie.nn.Weights;
import dev.sortie.nn.format.Json;
import dev.sortie.nn.format.JsonObject;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.nn.model.FileWeights;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.nn.model.Precision;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Exits on disk, beside the untouched backbone: {@code exits.safetensors} with tensors {@code
 * exits.DEPTH.NAME}, and {@code exits.json} that says what they are:
 *
 * <pre>
 * {"format": "sortie-exits", "version": 1,
 *  "backbone": {"sha256": "…", "layers": 12, "hidden": 192, "vocab": 1024},
 *  "exits": [{"depth": 4, "architecture": "mlp", "head": "own"}],
 *  "tuning": {…}}
 * </pre>
 */
public final class ExitsFile {
  /** Tensor file. */
  public static final String TENSORS = "exits.safetensors";

  /** Description. */
  public static final String DESCRIPTION = "exits.json";

  private static final String FORMAT = "sortie-exits";
  private static final int VERSION = 1;

  private ExitsFile() {}

  /**
   * Writes both files into {@code folder}, each atomically, the description last: without it the
   * folder holds no exits.
   */
  public static void write(Path folder, Exits exits, LanguageModel model) {
    SafetensorsWriter writer =
        new SafetensorsWriter()
            .metadata("format", FORMAT)
            .metadata("backbone", exits.backboneSha256());
    List<Map<String, Object>> list = new ArrayList<>();
    for (Exit e : exits.exits()) {
      e.parameters()
          .forEach(
              (name, t) -> writer.tensor(prefix(e.depth()) + name, t.span(), t.shape().dims()));
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("depth", e.depth());
      one.put("architecture", e.spec().architecture().word());
      one.put("head", e.spec().ownHead() ? "own" : "backbone");
      list.add(one);
    }
    var c = model.config().decoder();
    Map<String, Object> backbone = new LinkedHashMap<>();
    backbone.put("sha256", exits.backboneSha256());
    backbone.put("layers", c.layers());
    backbone.put("hidden", c.hidden());
    backbone.put("vocab", c.vocab());
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("format", FORMAT);
    root.put("version", VERSION);
    root.put("backbone", backbone);
    root.put("exits", list);
    root.put("tuning", exits.tuning());
    Folders.create(folder);
    writer.write(folder.resolve(TENSORS));
    Json.write(folder.resolve(DESCRIPTION), root);
  }

  /**
   * Reads the exits in {@code folder} for {@code model}.
   *
   * @param allocator where their weights live, in F32
   * @throws InputException if a file is missing or wrong, or the exits belong to another backbone
   */
  public static Exits read(Path folder, LanguageModel model, Allocator allocator, Kernels kernels) {
    Path description = folder.resolve(DESCRIPTION);
    JsonObject root = Json.read(description);
    root.getString("format", Set.of(FORMAT));
    root.getInt("version", VERSION, VERSION);
    checkBackbone(description, root.getObject("backbone"), model);
    try (Safetensors file = Safetensors.open(folder.resolve(TENSORS))) {
      FileWeights weights = new FileWeights(file, Precision.F32, allocator, kernels);
      List<Exit> exits = new ArrayList<>();
      Set<Integer> depths = new HashSet<>();
      for (JsonObject one : root.getObjects("exits")) {
        int depth = one.getInt("depth", 1, model.config().decoder().layers() - 1);
        ExitArchitecture architecture =
            ExitArchitecture.of(
                one.getString("architecture", Set.copyOf(ExitArchitecture.words())));
        boolean own = one.getString("head", Set.of("own", "backbone")).equals("own");
        Weights named = weights.under(prefix(depth));
        if (!depths.add(depth)) {
          throw one.error("depth", "a depth that no exit before it has");
        }
        exits.add(new Exit(new ExitSpec(depth, architecture, own), model.decoder(), named));
      }
      weights.refuseUnused(Set.of());
      return new Exits(model.sha256(), root.getObject("tuning").fields(), exits);
    }
  }

  /** Whether {@code folder} holds exits. */
  public static boolean exists(Path folder) {
    return Files.exists(folder.resolve(DESCRIPTION));
  }

  private static String prefix(int depth) {
    return "exits." + depth + ".";
  }

  private static void checkBackbone(Path file, JsonObject backbone, LanguageModel model) {
    var c = model.config().decoder();
    equal(file, "backbone.layers", backbone.getInt("layers", 1, 1 << 20), c.layers(), model);
    equal(file, "backbone.hidden", backbone.getInt("hidden", 1, 1 << 24), c.hidden(), model);
    equal(file, "backbone.vocab", backbone.getInt("vocab", 1, 1 << 24), c.vocab(), model);
    equal(file, "backbone.sha256", backbone.getString("sha256"), model.sha256(), model);
  }

  private static void equal(Path file, String field, Object found, Object model, LanguageModel of) {
    if (!found.equals(model)) {
      throw new InputException(
          file
              + ": "
              + field
              + " is "
              + found
              + ", but that of the model "
              + of.path()
              + " is "
              + model
              + ": these exits belong to another backbone; give the model they were made for");
    }
  }
}
