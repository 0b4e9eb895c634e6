package dev.sortie.parallel.comm.transport.mpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-kernels")
class MpiFilesContractTest {
  @TempDir Path folder;

  private Path library(String name) throws IOException {
    Files.createDirectories(folder.resolve(name).getParent());
    return Files.write(folder.resolve(name), new byte[10_000]);
  }

  @Test
  void aNamedLibraryIsTheOnlyOne() {
    assertThat(MpiFiles.find(Map.of(MpiFiles.VARIABLE, "/a/libmpi.so", "LD_LIBRARY_PATH", "/b")))
        .containsExactly(Path.of("/a/libmpi.so"));
  }

  @Test
  void librariesOfTheSearchPathComeBeforeThoseNextToTheLauncher() throws IOException {
    Path first = library("own/libmpich.so.12");
    library("own/libmpi_cxx.so.40");
    Files.writeString(folder.resolve("own/libmpi.so"), "INPUT(libmpi.so.40)");
    Path near = library("env/lib/libmpi.so.40");
    Path standard = library("env/lib/libmpi_abi.so.1");
    Path launcher = library("env/bin/mpirun");
    assertThat(launcher.toFile().setExecutable(true)).isTrue();
    Map<String, String> environment =
        Map.of(
            "LD_LIBRARY_PATH",
            folder.resolve("own").toString(),
            "PATH",
            launcher.getParent().toString());
    assertThat(MpiFiles.find(environment)).startsWith(first, near, standard);
    assertThat(MpiFiles.starters(environment)).containsExactly(launcher);
  }

  @Test
  void whatIsNoMpiLibraryIsRefusedByName() throws IOException {
    Path file = library("libmpi.so.40");
    assertThatThrownBy(() -> MpiTransport.describe(file))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(file + " cannot be loaded");
  }
}
