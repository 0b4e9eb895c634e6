package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.Altered;
import dev.sortie.eetuning.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.io.TempDir;

/**
 * A small model, its exits and other files, and commands about them that are refused in one line
 * and leave no file behind.
 */
abstract class RefusedCommands {
  @TempDir static Path temp;

  static Path model;
  static Path exits;
  static Path data;
  static Path file;
  static Path out;
  static Path absent;

  @BeforeAll
  static void makeModel() throws IOException {
    model = TinyModel.write(temp.resolve("model"), 1);
    exits = temp.resolve("exits");
    data = Files.writeString(temp.resolve("data.txt"), TinyModel.TEXT.repeat(20));
    file = Files.writeString(temp.resolve("file"), "a file");
    out = temp.resolve("out");
    absent = temp.resolve("absent");
    CommandLineRun.of(words("add-exits --threads 1 --model %s --at 1,2 --out %s", model, exits))
        .succeeded();
  }

  static String[] words(String format, Object... args) {
    return Arrays.stream(format.formatted(args).split(" "))
        .map(w -> w.replace('_', ' '))
        .toArray(String[]::new);
  }

  static DynamicTest refused(String name, String[] args, int code, Object... parts) {
    return DynamicTest.dynamicTest(
        name,
        () -> {
          List<String> before = Altered.files(temp);
          String[] texts = Arrays.stream(parts).map(Object::toString).toArray(String[]::new);
          CommandLineRun.of(args).assertRefused(code, texts);
          assertThat(Altered.files(temp)).isEqualTo(before);
        });
  }

  static String[] generate(Path m, String more) {
    return words("generate --threads 1 --model %s --prompt The_hen %s", m, more);
  }

  static String[] tune(String more) {
    return words(
        "tune --threads 1 --model %s --exits %s --out %s --steps 2 %s", model, exits, out, more);
  }

  static String[] tuneOn(Path text, String more) {
    return tune("--data " + text + " --seq-len 16 --micro-batch 2 " + more);
  }

  static String[] pretrain(String more) {
    return words(
        "pretrain --threads 1 --data %s --out %s --steps 2 --seq-len 16 --vocab 270 %s",
        data, out, more);
  }
}
