package dev.sortie.eetuning.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.Altered;
import dev.sortie.nn.InputException;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a run deletes is its own: never what is behind a link, and nothing of a run refused. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "links need a privilege there")
class ForeignFilesContractTest {
  @TempDir private Path temp;

  static IntStream seeds() {
    return IntStream.range(0, 20);
  }

  private void run(String data, Path out, int steps) {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("foreign files test")) {
      CountingJob job = new CountingJob(arena);
      job.data = data;
      LoopOptions options = new LoopOptions(out, steps, 2, 3);
      new TrainLoop(job, options, device.kernels(), TrainLoop.Listener.NONE, () -> false).run();
    }
  }

  /** Even seeds: the run is accepted. Odd ones: it is refused. */
  @ParameterizedTest
  @MethodSource("seeds")
  void nothingBehindALinkIsDeleted(int seed) throws IOException {
    Random random = new Random(seed);
    Path out = temp.resolve("out");
    Path checkpoints = out.resolve("checkpoints");
    run("a", out, 6);
    Path user = Files.createDirectories(temp.resolve("user"));
    for (String name : List.of("thesis.txt", "state.json", "state.safetensors")) {
      Files.writeString(user.resolve(name), name);
    }
    Files.writeString(Files.createDirectories(user.resolve("below")).resolve("deep.txt"), "deep");
    List<String> before = Altered.files(user);

    List<Path> links = new ArrayList<>();
    for (String name :
        List.of(
            ".step-000006.tmp",
            ".step-000008.tmp",
            ".step-000010.tmp",
            "step-000002",
            "step-000008",
            ".latest." + UUID.randomUUID() + ".tmp",
            "step-000004/more")) {
      if (random.nextBoolean()) {
        Path link = checkpoints.resolve(name);
        Path target = random.nextBoolean() ? user : user.resolve("thesis.txt");
        links.add(Files.createSymbolicLink(link, target));
      }
    }
    Path foreign = checkpoints.resolve(".notes.tmp");
    Files.createSymbolicLink(foreign, user);

    if (seed % 2 == 0) {
      run("a", out, 10);
      assertThat(checkpoints.resolve("step-000010/state.json")).exists();
      assertThat(links).allMatch(l -> !Files.isSymbolicLink(l));
    } else {
      assertThatThrownBy(() -> run("b", out, 10)).isInstanceOf(InputException.class);
      assertThat(links).allMatch(Files::isSymbolicLink);
    }
    assertThat(Altered.files(user)).isEqualTo(before);
    assertThat(user.resolve("thesis.txt")).hasContent("thesis.txt");
    assertThat(user.resolve("below/deep.txt")).hasContent("deep");
    assertThat(foreign).exists();
  }

  /** A run that is refused may be the wrong --out: what it left half-written stays, too. */
  @Test
  void aRefusedRunDeletesNothing() throws IOException {
    run("a", temp, 6);
    Path half = Files.createDirectory(temp.resolve("checkpoints/.step-000008.tmp"));
    Files.writeString(half.resolve("state.safetensors"), "half");
    assertThatThrownBy(() -> run("b", temp, 10)).isInstanceOf(InputException.class);
    assertThat(half.resolve("state.safetensors")).exists();
    run("a", temp, 7);
    assertThat(Files.exists(half, LinkOption.NOFOLLOW_LINKS)).isFalse();
  }
}
