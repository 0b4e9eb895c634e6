package dev.sortie.eetuning.train.loop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * A newest checkpoint that is well-formed and wrong is named, and the run resumes from the one
 * before it.
 */
class DamagedCheckpointContractTest {
  @TempDir private Path temp;

  /** What a run said. */
  private static final class Events implements TrainLoop.Listener {
    final List<Integer> resumed = new ArrayList<>();
    final List<String> skipped = new ArrayList<>();

    @Override
    public void resumed(int step) {
      resumed.add(step);
    }

    @Override
    public void skipped(String line) {
      skipped.add(line);
    }
  }

  private static Events run(Path out, int steps) {
    Events events = new Events();
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("damaged checkpoint test")) {
      LoopOptions options = new LoopOptions(out, steps, 2, 3);
      new TrainLoop(new CountingJob(arena), options, device.kernels(), events, () -> false).run();
    }
    return events;
  }

  private static Path description(Path out) {
    return out.resolve("checkpoints/step-000006/state.json");
  }

  private static void assertTheOneBeforeIsTaken(Path out, String part) {
    Events events = run(out, 7);
    assertThat(events.resumed).containsExactly(4);
    assertThat(events.skipped).hasSize(1);
    assertThat(events.skipped.getFirst())
        .contains("step-000006", "is not whole and is left aside", part)
        .doesNotContain("Exception", "\n");
    assertThat(out.resolve("checkpoints/step-000007/state.json")).exists();
  }

  @TestFactory
  Stream<DynamicTest> wrongDescriptions() {
    Map<String, String[]> cases = new LinkedHashMap<>();
    cases.put("a step more than losses", new String[] {"\"step\":6", "\"step\":7", "step"});
    cases.put("a step of text", new String[] {"\"step\":6", "\"step\":\"6\"", "step"});
    cases.put("a negative step", new String[] {"\"step\":6", "\"step\":-6", "step"});
    cases.put(
        "a loss less",
        new String[] {"\"losses\":\\{\"2\":\\[[^,]*,", "\"losses\":{\"2\":[", "losses.2"});
    cases.put(
        "a loss of text",
        new String[] {"\"losses\":\\{\"2\":\\[", "\"losses\":{\"2\":[\"x\",", "losses.2"});
    cases.put(
        "no list of losses",
        new String[] {"\"losses\":\\{\"2\":\\[[^]]*\\]", "\"losses\":{\"2\":5", "losses.2"});
    cases.put("no losses", new String[] {"\"losses\":\\{", "\"gone\":{", "losses"});
    cases.put(
        "losses of another name",
        new String[] {"\"losses\":\\{\"2\"", "\"losses\":{\"3\"", "losses.2"});
    cases.put(
        "a validation of no step",
        new String[] {"\"validations\":\\{\"3\"", "\"validations\":{\"x\"", "validations.x"});
    cases.put(
        "a validation too late",
        new String[] {"\"validations\":\\{\"3\"", "\"validations\":{\"7\"", "validations.7"});
    cases.put(
        "a validation of a large step",
        new String[] {
          "\"validations\":\\{\"3\"", "\"validations\":{\"99999999999\"", "validations.99999999999"
        });
    cases.put(
        "a validation of text",
        new String[] {
          "(\"validations\":\\{\"3\":\\{\"[24]\":)[^,]*,", "$1\"x\",", "validations.3."
        });
    cases.put(
        "no validation",
        new String[] {
          "\"validations\":\\{\"3\":\\{[^}]*\\}", "\"validations\":{\"3\":[]", "validations.3"
        });
    cases.put("no fingerprint", new String[] {"\"fingerprint\":\\{", "\"other\":{", "fingerprint"});
    cases.put(
        "a file elsewhere",
        new String[] {"\"state.safetensors\"", "\"../state.safetensors\"", "state"});
    cases.put("no file", new String[] {"\"files\":\\{[^}]*\\}", "\"files\":{}", "files"});
    cases.put(
        "files of numbers",
        new String[] {"\"files\":\\{[^}]*\\}", "\"files\":{\"state.safetensors\":5}", "files"});
    cases.put("files in a list", new String[] {"\"files\":\\{[^}]*\\}", "\"files\":[]", "files"});
    return cases.entrySet().stream()
        .map(
            c ->
                DynamicTest.dynamicTest(
                    c.getKey(),
                    () -> {
                      Path out = temp.resolve(c.getKey().replace(' ', '-'));
                      run(out, 6);
                      Path file = description(out);
                      String good = Files.readString(file);
                      String bad = good.replaceFirst(c.getValue()[0], c.getValue()[1]);
                      assertThat(bad).isNotEqualTo(good);
                      Files.writeString(file, bad);
                      assertTheOneBeforeIsTaken(out, c.getValue()[2]);
                    }));
  }

  /** Parts of the tensor {@code weights} of 3 elements: dim, from, size of the whole. */
  @TestFactory
  Stream<DynamicTest> wrongParts() {
    return Stream.of(
            "[0,9223372036854775807,9223372036854775807]",
            "[0,1,-9223372036854775808]",
            "[0,-9223372036854775808,3]",
            "[0,0,9223372036854775807]",
            "[9223372036854775807,0,3]",
            "[4294967296,0,3]",
            "[0,0,2]",
            "[0,0.5,3]",
            "[\"0\",0,3]",
            "[0,0]",
            "[]",
            "{}",
            "null")
        .map(
            part ->
                DynamicTest.dynamicTest(
                    part,
                    () -> {
                      Path out = Files.createTempDirectory(temp, "out");
                      run(out, 6);
                      writeParts(out, "{\"weights\":" + part + "}");
                      assertTheOneBeforeIsTaken(out, "weights");
                    }));
  }

  /** Replaces the tensors of the newest checkpoint, with the right hash. */
  private static void writeParts(Path out, String parts) throws IOException {
    Path file = description(out).resolveSibling("state.safetensors");
    String old = Sha256.of(file);
    try (NativeArena arena = new NativeArena("parts")) {
      new SafetensorsWriter()
          .tensor("weights", arena.allocate(DType.F32, 3).span(), 3)
          .tensor("optimizer.moments", arena.allocate(DType.F32, 2).span(), 2)
          .metadata("parts", parts)
          .write(file);
    }
    String text = Files.readString(description(out));
    Files.writeString(description(out), text.replace(old, Sha256.of(file)));
  }

  /** A value anywhere becomes another: the run resumes from one of the two, or says one line. */
  @Test
  void anyOtherValueAnywhereIsAccountedFor() throws IOException {
    Path good = temp.resolve("good");
    run(good, 6);
    JsonObject description = Json.read(description(good), JsonLimits.DATA);
    int taken = 0;
    for (int seed = 0; seed < 60; seed++) {
      Random random = new Random(seed);
      Path out = temp.resolve("out-" + seed);
      run(out, 6);
      Object changed = changed(description, random, 1 + random.nextInt(12));
      Files.writeString(description(out), Json.compact((Map<?, ?>) changed));
      try {
        taken += run(out, 7).resumed.getFirst() == 4 ? 1 : 0;
      } catch (InputException e) {
        assertThat(e).hasMessageContaining("this run was begun");
      }
    }
    assertThat(taken).isGreaterThan(10);
  }

  private static final List<Object> OTHERS =
      List.of(-1L, 0L, 7L, Long.MAX_VALUE, 0.5, "x", "", true, List.of(), Map.of());

  /** A copy in which value number {@code at} of the walk is another. */
  private static Object changed(Object value, Random random, int at) {
    int[] left = {at};
    return changed(value, random, left);
  }

  private static Object changed(Object value, Random random, int[] left) {
    if (left[0]-- == 0) {
      return OTHERS.get(random.nextInt(OTHERS.size()));
    }
    return switch (value) {
      case JsonObject o -> {
        Map<String, Object> copy = new LinkedHashMap<>();
        o.fields().forEach((name, v) -> copy.put(name, changed(v, random, left)));
        yield copy;
      }
      case List<?> list -> list.stream().map(v -> changed(v, random, left)).toList();
      default -> value;
    };
  }
}
