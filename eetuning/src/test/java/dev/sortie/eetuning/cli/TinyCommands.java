package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Commands on a tiny model.
 *
 * @param model its folder
 * @param exits folder of its exits after layers 1 and 2
 * @param data a text
 */
record TinyCommands(Path model, Path exits, Path data) {

  /** Makes all that in a folder. */
  static TinyCommands in(Path folder) throws IOException {
    TinyCommands made =
        new TinyCommands(
            TinyModel.write(folder.resolve("model"), 1),
            folder.resolve("exits"),
            Files.writeString(folder.resolve("data.txt"), TinyModel.TEXT.repeat(20)));
    made.run("add-exits --at 1,2 --seed 3 --out %s", made.exits).succeeded();
    return made;
  }

  /** Runs a command on the model with one thread; see {@link CommandLineRun#line}. */
  CommandLineRun run(String line, Object... args) {
    List<Object> all = new ArrayList<>(List.of(model));
    all.addAll(List.of(args));
    String[] command = line.split(" ", 2);
    return CommandLineRun.line(command[0] + " --threads 1 --model %s " + command[1], all.toArray());
  }

  /** Tunes exits in few steps. */
  CommandLineRun tune(Path from, Path out, String more) {
    return run(
        "tune --exits %s --data %s --out %s --steps 4 --seq-len 16 --micro-batch 2 --global-batch 4 --lr 0.01 --held-out 0.1 --checkpoint-every 2 "
            + more,
        from,
        data,
        out);
  }

  /** Continues "The hen", with a result as JSON. */
  CommandLineRun generate(String line, Object... args) {
    List<Object> all = new ArrayList<>(List.of("The hen"));
    all.addAll(List.of(args));
    return run("generate --json --prompt %s " + line, all.toArray());
  }

  /** The tokens of what {@link #generate} said. */
  static List<Object> ids(JsonObject generation) {
    return tokens(generation, "id");
  }

  /** Where each of them left. */
  static List<Object> exitsOf(JsonObject generation) {
    return tokens(generation, "exit");
  }

  private static List<Object> tokens(JsonObject generation, String field) {
    return generation.getObjects("tokens").stream().map(t -> t.fields().get(field)).toList();
  }

  /** The exits of which {@code score} says how well they predict. */
  static List<Object> heads(JsonObject score) {
    return score.getObjects("heads").stream().map(h -> h.fields().get("exit")).toList();
  }

  /** Checks that an object has fields; others may be there. */
  static void assertFields(JsonObject object, String... fields) {
    assertThat(object.fields().keySet()).contains(fields);
  }
}
