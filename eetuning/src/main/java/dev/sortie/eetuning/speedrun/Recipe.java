package dev.sortie.eetuning.speedrun;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The stages of a speedrun in their order, each as the words of a command that anybody can repeat.
 * Text, seed and number of steps decide everything.
 *
 * @param folder of the run
 * @param steps of pre-training; exits are tuned for a fifth of them
 * @param seed of all random numbers
 * @param compute words that say where to compute
 */
public record Recipe(Path folder, int steps, long seed, List<String> compute) {
  /** A stage: the command's name and its words. */
  public record Stage(String command, List<String> words) {
    /** As one would type it. */
    public String line() {
      return words.stream()
          .map(w -> w.contains(" ") ? "'" + w + "'" : w)
          .collect(Collectors.joining(" ", "./sortie " + command + " ", ""));
    }
  }

  /** The calibrated thresholds. */
  public Path thresholds() {
    return folder.resolve("thresholds.json");
  }

  /** The folder of the evaluation. */
  public Path evaluation() {
    return folder.resolve("eval");
  }

  /** The folder of exits as they are before they are tuned. */
  public Path untuned() {
    return folder.resolve("exits.start");
  }

  /**
   * The stages for a text that was split. The model has 1.3 M parameters: small enough for minutes
   * on two cores, deep enough for exits.
   */
  public List<Stage> stages(HeldOutSplit split) {
    Path model = folder.resolve("model");
    Path untuned = untuned();
    Path exits = folder.resolve("exits");
    return List.of(
        stage(
            "pretrain --data",
            split.training(),
            "--out",
            model,
            "--vocab 1024 --layers 6 --hidden 128 --heads 4 --kv-heads 2 --ffn 352",
            "--seq-len 256 --micro-batch 8 --lr 3e-3 --weight-decay 0.1 --warmup " + steps / 20,
            "--validate-every 1000 --checkpoint-every 200 --steps " + steps,
            "--seed " + seed,
            compute),
        stage("add-exits --model", model, "--at 2,4 --arch layer --out", untuned),
        stage(
            "tune --model",
            model,
            "--exits",
            untuned,
            "--data",
            split.training(),
            "--out",
            exits,
            "--objective kl --seq-len 256 --micro-batch 8",
            "--steps " + Math.max(1, steps / 5),
            "--seed " + seed,
            compute),
        stage(
            "calibrate --model",
            model,
            "--exits",
            exits,
            "--active all --data",
            split.heldOut(),
            "--level 0.1 --confidence 0.9 --out",
            thresholds(),
            compute),
        stage(
            "eval --model",
            model,
            "--exits",
            exits,
            "--text",
            split.heldOut(),
            "--out",
            evaluation(),
            compute));
  }

  /** Texts are cut into words; paths, and lists of words or paths, are taken as they are. */
  private static Stage stage(Object... parts) {
    List<String> words = new ArrayList<>();
    for (Object part : parts) {
      switch (part) {
        case List<?> list -> list.forEach(word -> words.add(word.toString()));
        case Path path -> words.add(path.toString());
        default -> words.addAll(List.of(part.toString().split(" ")));
      }
    }
    return new Stage(words.getFirst(), List.copyOf(words.subList(1, words.size())));
  }
}
