package dev.sortie.benchmarks.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files of CLBlast's tuners, as they write them. */
class ClBlastTuningContractTest {
  @TempDir Path folder;

  private void write(String file, String family, String size, String time, String parameters)
      throws IOException {
    Files.writeString(
        folder.resolve(file),
        """
        {"kernel_family": "%s", "precision": "32", "best_kernel": "Xgemm", "best_time": "%s",
         "best_parameters": "%s", "arg_m": "%s", "arg_n": "%s", "arg_k": "%s",
         "results": [{"kernel": "Xgemm", "time": 2.180, "parameters": {"KWG": 32}}]}
        """
            .formatted(family, time, parameters, size, size, size));
  }

  @Test
  void theFastestFileOfEachKernelCounts() throws IOException {
    write("clblast_xgemm_1_32.json", "xgemm_1", "512", "2.18", "GEMMK=0 KWG=32 PRECISION=32");
    write("clblast_xgemm_11_32.json", "xgemm_11", "1024", "9.00", "GEMMK=1 KWG=1 PRECISION=32");
    write("clblast_xgemm_direct_1_32.json", "xgemm_direct_1", "256", "0.77", "WGD=32 PADA=1");
    assertThat(ClBlastTuning.read(folder).kernels())
        .isEqualTo(
            Map.of(
                "Xgemm", Map.of("GEMMK", 1L, "KWG", 1L),
                "XgemmDirect", Map.of("WGD", 32L, "PADA", 1L)));
  }

  @Test
  void aFolderThatLacksAKernelSaysWhatToRun() throws IOException {
    write("clblast_xgemm_1_32.json", "xgemm_1", "512", "2.18", "KWG=32");
    assertThatThrownBy(() -> ClBlastTuning.read(folder))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("[Xgemm] alone")
        .hasMessageContaining("clblast_tuner_xgemm_direct")
        .hasMessageNotContaining("\n");
  }

  @Test
  void brokenFilesAreNamed() throws IOException {
    write("clblast_xgemm_1_32.json", "xgemm_1", "512", "fast", "KWG=32");
    assertThatThrownBy(() -> ClBlastTuning.read(folder))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("best_time")
        .hasMessageContaining("fast");
    write("clblast_xgemm_1_32.json", "xgemm_1", "512", "2.18", "KWG");
    assertThatThrownBy(() -> ClBlastTuning.read(folder))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("clblast_xgemm_1_32.json")
        .hasMessageContaining("KWG");
    assertThatThrownBy(() -> ClBlastTuning.read(folder.resolve("nowhere")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("nowhere");
  }
}
