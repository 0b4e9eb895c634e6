package dev.sortie.eetuning.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.InputException;
import dev.sortie.tensor.device.DeviceProvider;
import dev.sortie.tensor.device.KernelSpeed;
import dev.sortie.tensor.kernel.Kernels;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What each state of a machine or a JVM is told to fix, on made-up ones. */
class DoctorContractTest {
  private static final long GIB = 1L << 30;
  private static final Map<String, String> AVX3 =
      Map.of("UseAVX", "3", "MaxVectorSize", "64", "TieredStopAtLevel", "4");

  private static Jvm jvm(String mode, Map<String, String> options, String... flags) {
    return new Jvm("25.0.3", 25, "OpenJDK 64-Bit Server VM", mode, List.of(flags), options, true);
  }

  private static Jvm healthy() {
    return jvm("mixed mode, sharing", AVX3, "-XX:+UseParallelGC");
  }

  @Test
  void aHealthyMachineHasNothingToMend() {
    assertThat(JavaTopic.of(healthy(), 4 * GIB).advice()).isEmpty();
    assertThat(KernelsTopic.of("simd512", "", healthy(), 512).advice()).isEmpty();
    assertThat(MachineTopic.of(8, 4, 4, 16 * GIB, 9 * GIB, 4 * GIB).advice()).isEmpty();
    assertThat(SpeedTopic.of(new KernelSpeed(16, 14, 112, 95, 40)).advice()).isEmpty();
    assertThat(SpeedTopic.of(new KernelSpeed(1, 14, 14, 1.6, 3)).advice()).isEmpty();
    assertThat(HugePagesTopic.of(true, "always [madvise] never").advice()).isEmpty();
    assertThat(HugePagesTopic.of(false, "").advice()).isEmpty();
  }

  static Stream<Arguments> slowJvms() {
    return Stream.of(
        Arguments.of(jvm("interpreted mode", AVX3), "start it without -Xint"),
        Arguments.of(
            jvm("mixed mode", Map.of("TieredStopAtLevel", "1")), "-XX:TieredStopAtLevel=1"),
        Arguments.of(jvm("mixed mode", AVX3, "-XX:-EnableVectorSupport"), "-EnableVectorSupport"),
        Arguments.of(jvm("mixed mode", AVX3, "-XX:-UseVectorStubs"), "-XX:-UseVectorStubs"),
        Arguments.of(
            jvm("mixed mode", AVX3, "-agentlib:jdwp=transport=dt_socket"),
            "without -agentlib:jdwp=transport=dt_socket"),
        Arguments.of(jvm("mixed mode", AVX3, "-javaagent:a.jar"), "without -javaagent:a.jar"),
        Arguments.of(
            new Jvm("27", 27, "OpenJDK VM", "mixed mode", List.of(), AVX3, true),
            "tested on JDK 25, this is 27"),
        Arguments.of(
            new Jvm("25", 25, "Other VM", "mixed mode", List.of(), AVX3, true), "not HotSpot"),
        Arguments.of(
            new Jvm("25", 25, "OpenJDK VM", "mixed mode", List.of(), AVX3, false),
            "--add-modules jdk.incubator.vector"));
  }

  @ParameterizedTest
  @MethodSource("slowJvms")
  void aSlowJvmIsToldWhichFlagToChange(Jvm slow, String sentence) {
    assertThat(JavaTopic.of(slow, GIB).advice()).singleElement().asString().contains(sentence);
  }

  @Test
  void vectorsNarrowerThanTheProcessorsAreToldWithTheirCause() {
    Jvm avx2 = jvm("mixed mode", Map.of("UseAVX", "2", "MaxVectorSize", "32"));
    Jvm narrow = jvm("mixed mode", Map.of("UseAVX", "3", "MaxVectorSize", "16"));
    assertThat(KernelsTopic.of("simd256", "", avx2, 512).advice())
        .singleElement()
        .asString()
        .contains("512 bits, 256 are used", "-XX:UseAVX=3");
    assertThat(KernelsTopic.of("simd128", "auto", narrow, 512).advice())
        .singleElement()
        .asString()
        .contains("without -XX:MaxVectorSize=16");
    assertThat(KernelsTopic.of("simd128", "simd128", healthy(), 256).advice())
        .singleElement()
        .asString()
        .contains("256 bits, 128 are used", "unset SORTIE_KERNELS");
    assertThat(KernelsTopic.of("simd256", "", healthy(), 512).advice()).hasSize(1);
    assertThat(KernelsTopic.of("simd128", "", healthy(), 0).advice()).isEmpty();
    assertThat(KernelsTopic.of("scalar", "scalar", healthy(), 512).advice())
        .singleElement()
        .asString()
        .contains("unset SORTIE_KERNELS");
    assertThat(KernelsTopic.of("scalar", "scalar", healthy(), 512).facts())
        .containsEntry("reason", "forced by -Dsortie.kernels=scalar");
    assertThat(KernelsTopic.of("scalar", "", healthy(), 512).advice())
        .singleElement()
        .asString()
        .contains("--add-modules jdk.incubator.vector");
    assertThat(KernelsTopic.of("opencl gpu on Some device", "", healthy(), 512).facts())
        .containsEntry("reason", "those of the device");
    assertThat(KernelsTopic.none("no such vectors").advice())
        .containsExactly("no kernel set can be opened: no such vectors");
  }

  @ParameterizedTest
  @CsvSource({
    "flags\t\t: fpu sse4_1 avx2 fma avx512f avx512dq avx512bw avx512vl, 512",
    "flags\t\t: fpu sse4_1 avx2 fma avx512f, 256",
    "flags\t\t: fpu sse4_1 avx, 128",
    "flags\t\t: fpu, 0",
    "Features\t: fp asimd evtstrm, 128",
    "vmx flags\t: avx2, 0",
    "avx2, 0"
  })
  void theProcessorsVectorsAreReadFromItsFlags(String line, int bits) {
    assertThat(CpuVectors.bits(List.of("processor\t: 0", line.replace("\\t", "\t"))))
        .isEqualTo(bits);
  }

  @Test
  void threadsAndMemoryThatDoNotFitAreTold() {
    assertThat(MachineTopic.of(8, 4, 9, 0, 0, GIB).advice())
        .singleElement()
        .asString()
        .contains("9 threads share 8 hardware threads", "--threads 4");
    assertThat(MachineTopic.of(8, 4, 8, 0, 0, GIB).advice())
        .singleElement()
        .asString()
        .contains("8 threads share the arithmetic units of 4 cores");
    assertThat(MachineTopic.of(2, 2, 2, 2 * GIB, GIB, 3 * GIB / 2).advice())
        .singleElement()
        .asString()
        .contains("1.5 of the 2.0 GiB");
  }

  @Test
  void kernelsUnderAThirdOfWhatTheWidthShouldGiveAreTold() {
    assertThat(SpeedTopic.of(new KernelSpeed(16, 14, 0.7, 0.3, 0.1)).advice())
        .singleElement()
        .asString()
        .contains("vectors of 16 floats reach 0.7", "some 224");
    assertThat(SpeedTopic.of(new KernelSpeed(16, 14, 112, 30, 40)).advice())
        .singleElement()
        .asString()
        .contains("matrix product reaches 30.0 of the 112.0");
    assertThat(SpeedTopic.of(new KernelSpeed(4, 0.01, 0.01, 0.01, 0.1)).advice())
        .singleElement()
        .asString()
        .contains("emulated");
  }

  @Test
  void hugePagesThatAreOffAreTold() {
    assertThat(HugePagesTopic.of(true, "always madvise [never]").advice())
        .singleElement()
        .asString()
        .contains("madvise > /sys/kernel/mm/transparent_hugepage/enabled");
  }

  @Test
  void devicesAreNamedAndAMissingOrBrokenModuleDoesNoHarm() {
    DeviceProvider fake =
        new DeviceProvider() {
          @Override
          public String name() {
            return "OpenCL";
          }

          @Override
          public Found find() {
            return new Found(List.of("a card"), "one driver is broken");
          }

          @Override
          public Kernels open(int index, Kernels host) {
            return host;
          }

          @Override
          public String tuning(int index) {
            return "none";
          }

          @Override
          public String tune(int index, Duration limit) {
            return "device " + index + " in " + limit.toSeconds() + " s";
          }
        };
    assertThat(DevicesTopic.all(List.of(fake).iterator(), Optional.empty()))
        .singleElement()
        .satisfies(
            t -> {
              assertThat(t.name()).isEqualTo("opencl");
              assertThat(t.facts())
                  .containsEntry("devices", List.of("a card"))
                  .containsEntry("tuning", List.of("none"))
                  .containsEntry("remark", "one driver is broken");
            });
    assertThat(
            DevicesTopic.all(List.of(fake).iterator(), Optional.of(Duration.ofSeconds(7)))
                .getFirst()
                .facts())
        .containsEntry("tuning", List.of("device 0 in 7 s"));
    assertThat(DevicesTopic.all(List.<DeviceProvider>of().iterator(), Optional.empty()))
        .singleElement()
        .satisfies(t -> assertThat(t.facts()).containsKey("remark"));
    Iterator<DeviceProvider> broken =
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return true;
          }

          @Override
          public DeviceProvider next() {
            throw new ServiceConfigurationError("no jocl");
          }
        };
    assertThat(
            DevicesTopic.all(broken, Optional.empty()).getFirst().facts().get("remark").toString())
        .contains("no jocl");
  }

  @Test
  void theMpiLibraryThatRanksWouldTakeSaysItsVersion() {
    Path library = Path.of("libmpi.so.40");
    assertThat(
            MpiTopic.of(List.of(library), List.of(Path.of("mpirun")), file -> "MPI of " + file)
                .facts())
        .containsEntry("libraries", List.of("libmpi.so.40"))
        .containsEntry("starters", List.of("mpirun"))
        .containsEntry("version", "MPI of libmpi.so.40")
        .doesNotContainKey("remark");
    Function<Path, String> broken =
        file -> {
          throw new InputException(file + " cannot be loaded");
        };
    assertThat(MpiTopic.of(List.of(library), List.of(), broken).facts())
        .containsEntry("remark", "libmpi.so.40 cannot be loaded");
    assertThat(MpiTopic.of(List.of(), List.of(), broken).facts().get("remark").toString())
        .startsWith("no MPI was found");
  }
}
