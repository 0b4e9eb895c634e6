package dev.sortie.eetuning.train;

import dev.sortie.eetuning.Folders;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.AtomicFiles;
import dev.sortie.nn.format.Json;
import dev.sortie.nn.format.JsonLimits;
import dev.sortie.nn.format.JsonObject;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.nn.format.Sha256;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Stream;

/**
 * Checkpoints of a run, {@code OUT/checkpoints/step-000100/}: {@code state.safetensors} and {@code
 * state.json}. The JSON is written last and names the hash of the tensors, so a checkpoint is whole
 * or it is none: after a kill at any moment the newest whole one is found. The last two are kept.
 */
final class Checkpoints {
  private static final String TENSORS = "state.safetensors";
  private static final String DESCRIPTION = "state.json";
  private static final int KEEP = 2;

  private final Path folder;

  Checkpoints(Path out) {
    this.folder = out.resolve("checkpoints");
  }

  /**
   * A checkpoint found.
   *
   * @param step steps done
   * @param path its folder
   * @param description its JSON
   */
  record Found(int step, Path path, JsonObject description) {}

  void save(int step, TrainingJob job, History history) {
    Path target = folder.resolve("step-%06d".formatted(step));
    Folders.create(target);
    SafetensorsWriter writer = new SafetensorsWriter();
    job.state().forEach((name, t) -> writer.tensor(name, t.span(), t.shape().dims()));
    Path tensors = target.resolve(TENSORS);
    writer.write(tensors);
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("step", step);
    root.put("sha256", Sha256.of(tensors));
    root.put("fingerprint", job.fingerprint());
    root.put("losses", history.losses());
    Map<String, Object> validations = new LinkedHashMap<>();
    history.validations().forEach((s, v) -> validations.put(String.valueOf(s), v));
    root.put("validations", validations);
    AtomicFiles.write(
        target.resolve(DESCRIPTION), Json.compact(root).getBytes(StandardCharsets.UTF_8));
    // later ones are not whole, or the run would have gone on from them: they do not count
    List<Path> all = list().stream().filter(p -> step(p) <= step).toList();
    all.subList(0, Math.max(0, all.size() - KEEP)).forEach(Checkpoints::delete);
  }

  /**
   * The newest checkpoint whose files are whole. One that is not is what a kill in the middle of a
   * save leaves, or a failing disk: it is named in the log and an earlier one is taken.
   */
  Optional<Found> newest() {
    for (Path p : list().reversed()) {
      try {
        JsonObject d = Json.read(p.resolve(DESCRIPTION), JsonLimits.DATA);
        String hash = Sha256.of(p.resolve(TENSORS));
        if (d.getString("sha256").equals(hash)) {
          return Optional.of(new Found(d.getInt("step", 0, Integer.MAX_VALUE), p, d));
        }
        skipped(p, TENSORS + " has SHA-256 " + hash + ", not " + d.getString("sha256"));
      } catch (InputException e) {
        skipped(p, e.getMessage());
      }
    }
    return Optional.empty();
  }

  private static void skipped(Path checkpoint, String why) {
    System.getLogger(Checkpoints.class.getName())
        .log(
            System.Logger.Level.WARNING,
            () -> checkpoint + ": this checkpoint is not whole and is left aside: " + why);
  }

  /** Restores the job's tensors and returns the history. */
  History restore(Found found, TrainingJob job, Kernels kernels) {
    checkFingerprint(found, job.fingerprint());
    try (Safetensors file = Safetensors.open(found.path().resolve(TENSORS))) {
      SequencedMap<String, Tensor> state = job.state();
      if (!file.tensors().keySet().equals(state.keySet())) {
        throw new InputException(
            found.path()
                + ": the checkpoint's tensors are not those of this run; give another --out");
      }
      state.forEach(
          (name, t) -> {
            Shape shape =
                Shape.of(
                    file.tensors().get(name).shape().stream().mapToLong(Long::longValue).toArray());
            if (!shape.equals(t.shape()) || file.tensors().get(name).dtype() != DType.F32) {
              throw new InputException(
                  found.path()
                      + ": tensor "
                      + name
                      + " has shape "
                      + shape
                      + ", this run needs "
                      + t.shape());
            }
            kernels.copy(file.read(name), t.span());
          });
    }
    History history = new History(job.lossNames());
    JsonObject losses = found.description().getObject("losses");
    for (int i = 0; i < found.step(); i++) {
      Map<String, Double> step = new LinkedHashMap<>();
      for (String name : job.lossNames()) {
        step.put(name, ((Number) losses.getList(name).get(i)).doubleValue());
      }
      history.add(step);
    }
    JsonObject validations = found.description().getObject("validations");
    for (String step : validations.fields().keySet()) {
      JsonObject v = validations.getObject(step);
      Map<String, Double> values = new LinkedHashMap<>();
      v.fields().forEach((name, x) -> values.put(name, ((Number) x).doubleValue()));
      history.addValidation(Integer.parseInt(step), values);
    }
    return history;
  }

  private static void checkFingerprint(Found found, Map<String, Object> now) {
    Map<String, Object> then = found.description().getObject("fingerprint").fields();
    now.forEach(
        (field, value) -> {
          String old = String.valueOf(then.get(field));
          // compared as JSON, which is how the old value was kept
          if (!Json.compact(then.getOrDefault(field, "")).equals(Json.compact(value))) {
            throw new InputException(
                found.path()
                    + ": this run was begun with "
                    + field
                    + " "
                    + old
                    + ", now it is "
                    + value
                    + "; use the same or give another --out");
          }
        });
  }

  private static int step(Path checkpoint) {
    return Integer.parseInt(checkpoint.getFileName().toString().substring("step-".length()));
  }

  private List<Path> list() {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> s = Files.list(folder)) {
      return new ArrayList<>(
          s.filter(p -> p.getFileName().toString().matches("step-\\d{6,9}"))
              .sorted(Comparator.comparingInt(Checkpoints::step))
              .toList());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + folder, e);
    }
  }

  /**
   * Deletes a checkpoint, its description first: what is left of a half-deleted one is not taken
   * for whole. A kill may have left temporary files beside its own.
   */
  private static void delete(Path dir) {
    try {
      Files.deleteIfExists(dir.resolve(DESCRIPTION));
      List<Path> rest;
      try (Stream<Path> files = Files.list(dir)) {
        rest = files.toList();
      }
      for (Path file : rest) {
        Files.delete(file);
      }
      Files.delete(dir);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete the old checkpoint " + dir, e);
    }
  }
}
