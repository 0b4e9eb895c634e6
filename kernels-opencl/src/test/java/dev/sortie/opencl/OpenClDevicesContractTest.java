package dev.sortie.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.device.DeviceProvider;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class OpenClDevicesContractTest {

  @Test
  void aMachineWithOrWithoutOpenClGivesDevicesOrAReasonAndNeverThrows() {
    OpenClDevices found = OpenClDevices.list();
    if (found.devices().isEmpty()) {
      assertThat(found.reason()).contains("OpenCL").doesNotContain("\n");
    }
    assertThat(found.devices())
        .allSatisfy(
            device -> {
              assertThat(device.platform()).isNotBlank();
              assertThat(device.name()).isNotBlank();
              assertThat(device.version()).startsWith("OpenCL ");
              assertThat(device.computeUnits()).isPositive();
              assertThat(device.globalMemory()).isPositive();
              assertThat(device.localMemory()).isPositive();
            });
  }

  @Test
  void askingTwiceGivesTheSameAnswer() {
    assertThat(OpenClDevices.list().devices()).isEqualTo(OpenClDevices.list().devices());
  }

  @Test
  void theNativeLibraryIsNotUnpackedUnderAGuessableName() throws IOException {
    List<String> before = guessable();
    OpenClDevices.list();
    assertThat(guessable()).isEqualTo(before);
  }

  /** The module's own declaration counts on the module path alone. */
  @Test
  void theDeviceIsFoundOnTheClassPathToo() throws IOException {
    String file = "/META-INF/services/" + DeviceProvider.class.getName();
    try (InputStream in = OpenClProvider.class.getResourceAsStream(file)) {
      assertThat(in).as(file).isNotNull();
      assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8).strip())
          .isEqualTo(OpenClProvider.class.getName());
    }
  }

  /** Files named as JOCL names its library when it is left to its default. */
  private static List<String> guessable() throws IOException {
    try (var files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.matches("libJOCL_\\d+_\\d+_\\d+-[a-z]+-[a-z0-9_]+\\.[a-z]+"))
          .sorted()
          .toList();
    }
  }
}
