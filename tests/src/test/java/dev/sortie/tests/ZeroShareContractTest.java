package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.Json;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code examples/ZeroShare.java} reads text as {@code score --file} does. */
@Tag("any-kernels")
@Tag("slow")
class ZeroShareContractTest {
  private static final String TEXT = "Once upon a time there was a \"fox\" in a wood.\n".repeat(20);

  @TempDir private Path folder;

  private String run(List<String> command) throws Exception {
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectError(folder.resolve("err").toFile())
            .start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(Files.readString(folder.resolve("err"))).isZero();
    return out;
  }

  private void sortie(String words) throws Exception {
    String main = "dev.sortie.eetuning.cli.Main ";
    run(TestPrograms.command((main + words).split(" ")));
  }

  private String share(String text) throws Exception {
    Path program = MarkdownPage.ROOT.resolve("examples/ZeroShare.java");
    return run(TestPrograms.command(program.toString(), "cycled", "between", text));
  }

  @Test
  void linesOfJsonAreReadForTheirTexts() throws Exception {
    Files.writeString(folder.resolve("text.txt"), TEXT);
    Files.writeString(
        folder.resolve("text.jsonl"), Json.compact(Map.of("text", TEXT, "id", 7)) + "\n");
    sortie(
        "pretrain --data text.txt --out cycled --vocab 280 --layers 3 --cycles 2 --hidden 16"
            + " --heads 2 --kv-heads 1 --ffn 16 --seq-len 16 --micro-batch 1 --steps 1");
    sortie("add-exits --model cycled --at 2 --arch norm --out between");
    assertThat(share("text.txt")).hasLineCount(2).isEqualTo(share("text.jsonl"));
  }
}
