package dev.sortie.eetuning.cost;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.host.Folders;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.CacheFolder;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Measured tables on disk, one for each combination of sizes, types and exits of a model with
 * processor, kernels, threads and JVM. What weights say does not matter, only what they are.
 *
 * @param folder where the tables lie
 * @param meter measures those that are not there
 */
public record CostCache(Path folder, CostMeter meter) {
  private static final int VERSION = 4;

  /** The user's own tables. */
  public CostCache() {
    this(CacheFolder.of("sortie"), new CostMeter());
  }

  /** The table for this model on this machine, if it was measured before. */
  public Optional<CostTable> known(Decoder decoder, Exits exits, Device device) {
    Path file = file(description(decoder, exits, device));
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(CostJson.read(Json.read(file).getObject("table")));
    } catch (InputException | IllegalArgumentException e) {
      // a file that was damaged is as good as none
      System.getLogger(CostCache.class.getName())
          .log(System.Logger.Level.WARNING, file + ": not used: " + e.getMessage());
      return Optional.empty();
    }
  }

  /** Measures now, and keeps the table if the folder can be written. */
  public CostTable measure(Decoder decoder, Exits exits, Device device) {
    CostTable table = meter.measure(decoder, exits, device);
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("of", description(decoder, exits, device));
    root.put("table", CostJson.of(table));
    try {
      Folders.create(folder);
      Json.write(file((String) root.get("of")), root);
    } catch (InputException e) {
      // measured again next time, which takes some seconds
      System.getLogger(CostCache.class.getName())
          .log(System.Logger.Level.WARNING, "what was measured is not kept: " + e.getMessage());
    }
    return table;
  }

  private Path file(String description) {
    String hash = Sha256.of(description.getBytes(StandardCharsets.UTF_8));
    return folder.resolve("cost-" + hash.substring(0, 16) + ".json");
  }

  /** All that times depend on. */
  static String description(Decoder decoder, Exits exits, Device device) {
    StringBuilder text = new StringBuilder("version " + VERSION + "; " + decoder.config());
    Map<String, Integer> types = new LinkedHashMap<>();
    decoder.parameters().values().forEach(t -> types.merge(type(t), 1, Integer::sum));
    text.append("; ").append(types);
    for (Exit e : exits.exits()) {
      text.append("; exit ").append(e.spec());
      text.append(e.gates().coverage().isPresent() ? " with a coverage gate" : "");
      e.parameters()
          .forEach((name, t) -> text.append(' ').append(name).append(' ').append(type(t)));
    }
    exits
        .lookahead()
        .ifPresent(
            l -> {
              text.append("; lookahead ").append(l.draft().map(d -> d.size()).orElse(0));
              l.parameters()
                  .forEach((name, t) -> text.append(' ').append(name).append(' ').append(type(t)));
            });
    Machine machine = Machine.detect(device.kernels().name());
    return text.append("; ")
        .append(machine.cpu())
        .append("; ")
        .append(machine.java())
        .append("; ")
        .append(machine.kernels())
        .append("; threads ")
        .append(device.pool().threads())
        .toString();
  }

  private static String type(Tensor t) {
    return t.dtype() + " " + t.shape();
  }
}
