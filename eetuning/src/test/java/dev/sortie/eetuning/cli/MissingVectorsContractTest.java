package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A JVM on the class path that was started without the module of vectors or native access. */
@Tag("any-kernels")
class MissingVectorsContractTest {
  private static final String VECTORS = "jdk.incubator.vector";
  private static final String DENY = "--illegal-native-access=deny";
  private static final String FLAG = "--add-modules " + VECTORS;

  @TempDir private static Path shared;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(shared);
  }

  private static CommandLineRun generate(String... flags) throws Exception {
    List<String> command =
        new ArrayList<>(
            CommandLineProcess.command(
                "generate",
                "--model",
                tiny.model().toString(),
                "--prompt",
                "The hen",
                "--max-tokens",
                "5",
                "--json"));
    boolean refused = List.of(flags).contains(DENY);
    command.removeIf(
        word ->
            word.startsWith("--add-modules")
                || word.startsWith("-Dsortie.")
                || refused && word.startsWith("--enable-native-access"));
    command.addAll(1, List.of(flags));
    Process process = new ProcessBuilder(command).start();
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new CommandLineRun(process.waitFor(), out, err);
  }

  @Test
  void theScalarKernelsRunAndOneLineNamesTheFlag() throws Exception {
    CommandLineRun run = generate();
    assertThat(run.err()).hasLineCount(1).contains("scalar kernels", "start the JVM with " + FLAG);
    CommandLineRun forced = generate("-Dsortie.kernels=scalar");
    assertThat(forced.err()).isEmpty();
    assertThat(TinyCommands.ids(run.json())).isEqualTo(TinyCommands.ids(forced.json()));
  }

  /** As the JDK has announced it for all that do not ask for native access. */
  @Test
  void refusedNativeAccessIsNamedInOneLineToo() throws Exception {
    String allowed = "start the JVM with --enable-native-access=ALL-UNNAMED";
    CommandLineRun run = generate(DENY, "--add-modules=" + VECTORS);
    assertThat(run.err()).contains("scalar kernels", allowed);
    CommandLineRun forced = generate("-Dsortie.kernels=scalar");
    assertThat(TinyCommands.ids(run.json())).isEqualTo(TinyCommands.ids(forced.json()));
    CommandLineRun vectors = generate(DENY, "--add-modules=" + VECTORS, "-Dsortie.kernels=simd256");
    assertThat(vectors.code()).isEqualTo(1);
    assertThat(vectors.err()).contains("-Dsortie.kernels=simd256 needs native access; " + allowed);
  }

  @Test
  void vectorsThatAreForcedAreAskedForInOneLine() throws Exception {
    generate("-Dsortie.kernels=simd256")
        .assertRefused(1, "-Dsortie.kernels=simd256", "start the JVM with " + FLAG);
  }
}
