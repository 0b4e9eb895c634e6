package dev.sortie.eetuning.cli.startup;

import dev.sortie.eetuning.cli.Main;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Commands that people begin with, on small files: a text of a GGUF file, one with exits, and
 * tuning. The JVM that runs them records the classes that they need, for an archive from which
 * later JVMs take them ready to run ({@code -XX:AOTMode=record}, JEP 483).
 */
public final class TypicalRun {
  private static final String TEXT = "Once upon a time there was a king who had three daughters. ";
  private static final int SENTENCES = 20;

  private TypicalRun() {}

  /**
   * Runs the commands one by one, and ends the JVM with the exit code of the first that fails.
   *
   * @param args an empty folder for files
   */
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[0]);
    Path text = folder.resolve("text.txt");
    Files.writeString(text, TEXT.repeat(SENTENCES));
    for (List<String> words : commands(folder, text)) {
      String[] command = words.toArray(String[]::new);
      int code = Main.commandLine(command).execute(command);
      if (code != 0) {
        System.exit(code);
      }
    }
    Main.main(new String[] {"--version"}); // writes and ends as all commands of a process do
  }

  private static List<List<String>> commands(Path folder, Path text) {
    String model = folder.resolve("fable.gguf").toString();
    String exits = folder.resolve("exits").toString();
    String tuned = folder.resolve("tuned").toString();
    return List.of(
        List.of("convert", "fable", "--to", "gguf", "--quantize", "q4_1", "--out", model),
        List.of("generate", "--model", model, "--prompt", TEXT, "--max-tokens", "8"),
        List.of(
            "generate",
            "--model=fable",
            "--exits=fable",
            "--prompt=" + TEXT,
            "--max-tokens=8",
            "--temperature=0.8"),
        List.of("add-exits", "--model=fable", "--at=4", "--arch=norm", "--out=" + exits),
        List.of(
            "tune",
            "--model=fable",
            "--exits=" + exits,
            "--data=" + text,
            "--steps=2",
            "--seq-len=16",
            "--out=" + tuned));
  }
}
