package dev.sortie.benchmarks.peer;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Makes the peers' virtual environment. Doing it again repairs it: packages that are there are
 * kept.
 *
 * @param peers where
 * @param progress is told what is done
 */
public record PeersInstaller(Peers peers, Consumer<String> progress) {

  /**
   * Installs.
   *
   * @param python interpreter that makes the environment
   * @param build whether llama.cpp is built for this processor too
   * @throws InputException if Python or a package cannot be had
   */
  public void install(String python, boolean build) {
    if (!Files.isExecutable(peers.interpreter())) {
      progress.accept("making the virtual environment " + peers.folder());
      run(List.of(python, "-m", "venv", peers.folder().toString()), Map.of());
    }
    String interpreter = peers.interpreter().toString();
    for (String wanted : Peers.PACKAGES) {
      progress.accept("installing " + wanted);
      run(List.of(interpreter, "-m", "pip", "install", "--quiet", wanted), Map.of());
    }
    if (build) {
      progress.accept("building " + Peers.NATIVE_LLAMA + " (some 12 minutes on two cores)");
      List<String> command = new ArrayList<>(List.of(interpreter, "-m", "pip", "install"));
      command.addAll(List.of("--quiet", "--no-binary", "llama-cpp-python", Peers.NATIVE_LLAMA));
      run(command, Map.of("CMAKE_ARGS", "-DGGML_NATIVE=ON -DLLAVA_BUILD=OFF"));
    }
    progress.accept("all peers are installed");
  }

  private static void run(List<String> command, Map<String, String> variables) {
    String shown = String.join(" ", command);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(variables);
    try {
      Process process = builder.start();
      process.getOutputStream().close();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int code = process.waitFor();
      if (code != 0) {
        String last = said.lines().filter(line -> !line.isBlank()).reduce("", (a, b) -> b);
        throw new InputException("'%s' ended with %d: %s".formatted(shown, code, last));
      }
    } catch (IOException e) {
      throw new InputException(
          "'%s' cannot be started (%s); install Python 3.11 or newer, or name one with --python"
              .formatted(shown, e.getMessage()),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while installing", e);
    }
  }
}
