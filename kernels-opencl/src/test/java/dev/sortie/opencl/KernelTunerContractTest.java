package dev.sortie.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.kernel.ScalarKernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A tuning is one of the declared cuts, found again as it was kept, and changes speed alone. */
@NeedsDevice
class KernelTunerContractTest {
  /** {@code all} tries all kernels under all cuts, which takes minutes; else one each. */
  private static final String CUTS = "sortie.opencl.cuts";

  @TempDir Path folder;

  private OpenClOptions options(boolean tuned) {
    return new OpenClOptions("cpu", true, Optional.of(folder.resolve("opencl")), tuned);
  }

  static Stream<TestDevices.Setup> setups() {
    return TestDevices.setups();
  }

  @ParameterizedTest
  @MethodSource("setups")
  void cutsOtherThanTheUsualPassTheTrialsOfTheirFamily(TestDevices.Setup setup) {
    boolean all = System.getProperty(CUTS, "").equals("all");
    ClDevice device = ClPlatforms.ask().devices().get(setup.index());
    Preset usual = Preset.of(device, setup.options().preset());
    BinaryCache none = new BinaryCache(null);
    try (ClSession session = new ClSession(device)) {
      ClMemory memory = new ClMemory(session, setup.options().shareMemory());
      ClPrograms programs = new ClPrograms(session, usual, none, UnaryOperator.identity());
      Engine engine = new Engine(session, memory, programs, new DeviceScratch(session), usual);
      usual
          .spaces()
          .forEach(
              (family, cuts) -> {
                for (Cut cut : all ? cuts : List.of(cuts.getLast())) {
                  Engine other = engine.with(usual.with(family, cut), none);
                  Certification certification = new Certification(other);
                  for (String kernel : all ? family.trials() : family.trials().subList(0, 1)) {
                    assertThat(certification.trial(kernel)).as("%s of %s", kernel, cut).isEmpty();
                  }
                  other.programs().close();
                }
              });
    }
  }

  @Test
  void whatIsChosenIsKeptAndTakenUntilItsFileIsDamaged() throws IOException {
    String chosen = tune(Duration.ofMinutes(1));
    assertThat(chosen).matches("attention VW=\\d+ WG=1, .*usual.*");
    assertThat(OpenClProvider.tuning(0, options(true))).isEqualTo(chosen);
    assertThat(OpenClProvider.tuning(0, options(false))).startsWith("none: kernels are cut");
    Tunings tunings = tunings();
    Tuning kept = tunings.load().orElseThrow();
    assertThat(kept.choices()).isNotEmpty();

    // a choice of ours, so that it differs from the usual cuts
    Preset usual = usual();
    Cut last = usual.spaces().get(Family.MATRIX).getLast();
    tunings.store(new Tuning(Map.of(Family.MATRIX, new Tuning.Choice(last, 2))));
    assertThat(name(true)).contains("tuned");
    assertThat(name(false)).doesNotContain("tuned");

    Path file = entry();
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 2] ^= 1;
    Files.write(file, bytes);
    assertThat(name(true)).doesNotContain("tuned");
    assertThat(file).doesNotExist();
    assertThat(tune(Duration.ofMinutes(1))).startsWith("attention VW=");
    assertThat(file).exists();
  }

  @Test
  void aCutThatIsNotDeclaredIsNotTaken() throws IOException {
    Cut strange = new Cut(Map.of("PANEL", 17, "TILE_ROWS", 1));
    tunings().store(new Tuning(Map.of(Family.MATRIX, new Tuning.Choice(strange, 2))));
    Path file = entry();
    assertThat(tunings().load()).isEmpty();
    assertThat(file).doesNotExist();
    Preset usual = usual();
    String good = "MATRIX 1.5 " + usual.spaces().get(Family.MATRIX).getLast();
    assertThat(Tuning.parse(good + "\n", usual)).isPresent();
    for (String bad :
        List.of("MATRIX", "NO_FAMILY 1.5 WG=1", good + "\n" + good, "MATRIX x PANEL=32", " ")) {
      assertThat(Tuning.parse(bad, usual)).as(bad).isEmpty();
    }
  }

  @Test
  void aTimeThatIsTooShortChoosesNothing() {
    assertThat(tune(Duration.ofNanos(1))).startsWith("none: the time was too short");
    assertThat(name(true)).doesNotContain("tuned");
  }

  /** Of one family, since compiling the cuts of all takes a minute. */
  private String tune(Duration limit) {
    return OpenClProvider.tune(0, limit, options(true), List.of(Family.ATTENTION));
  }

  private Preset usual() {
    return Preset.of(ClPlatforms.ask().devices().getFirst(), "cpu");
  }

  private Tunings tunings() {
    BinaryCache cache = new BinaryCache(folder.resolve("opencl"));
    return new Tunings(cache, ClPlatforms.ask().devices().getFirst(), usual());
  }

  /** The newest file of the cache, which is the tuning's: it is written when all is compiled. */
  private Path entry() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("opencl"))) {
      return files.max(java.util.Comparator.comparingLong(f -> f.toFile().lastModified())).get();
    }
  }

  private String name(boolean tuned) {
    try (OpenClKernels kernels = OpenClProvider.open(0, new ScalarKernels(), options(tuned))) {
      return kernels.name();
    }
  }
}
