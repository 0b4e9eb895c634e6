package dev.sortie.nn.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.JsonFactory;
import dev.sortie.tensor.dtype.DType;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model that is used in place takes memory for what is read of it, not for what it is. */
class MappedLoadingContractTest {
  private static final int VOCAB = 524_288;
  private static final int HIDDEN = 1024;
  private static final long MIB = 1 << 20;

  @TempDir private static Path folder;

  /** One layer of 17 MiB between an embedding and a head of 2 GiB each, all of it holes. */
  @BeforeAll
  static void makeModel() throws IOException {
    assumeTrue(Files.isReadable(Path.of("/proc/self/status")), "resident memory is Linux's");
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"model_type":"llama","hidden_size":1024,"num_attention_heads":8,"num_hidden_layers":1,
         "intermediate_size":64,"vocab_size":524288,"max_position_embeddings":64}
        """);
    try (InputStream in =
        MappedLoadingContractTest.class.getResourceAsStream("/dev/sortie/nn/text/gpt2.json")) {
      Files.copy(in, folder.resolve("tokenizer.json"));
    }
    Map<String, int[]> tensors = new LinkedHashMap<>();
    tensors.put("model.embed_tokens.weight", new int[] {VOCAB, HIDDEN});
    tensors.put("lm_head.weight", new int[] {VOCAB, HIDDEN});
    tensors.put("model.norm.weight", new int[] {HIDDEN});
    String layer = "model.layers.0.";
    for (String name : List.of("q", "k", "v", "o")) {
      tensors.put(layer + "self_attn." + name + "_proj.weight", new int[] {HIDDEN, HIDDEN});
    }
    tensors.put(layer + "mlp.gate_proj.weight", new int[] {64, HIDDEN});
    tensors.put(layer + "mlp.up_proj.weight", new int[] {64, HIDDEN});
    tensors.put(layer + "mlp.down_proj.weight", new int[] {HIDDEN, 64});
    tensors.put(layer + "input_layernorm.weight", new int[] {HIDDEN});
    tensors.put(layer + "post_attention_layernorm.weight", new int[] {HIDDEN});
    writeSparse(folder.resolve("model.safetensors"), tensors);
  }

  private static void writeSparse(Path file, Map<String, int[]> tensors) throws IOException {
    StringBuilder header = new StringBuilder("{");
    long at = 0;
    for (var tensor : tensors.entrySet()) {
      long end =
          at + 4 * Arrays.stream(tensor.getValue()).asLongStream().reduce(1, (a, b) -> a * b);
      header
          .append(at == 0 ? "" : ",")
          .append(
              "\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                  .formatted(tensor.getKey(), Arrays.toString(tensor.getValue()), at, end));
      at = end;
    }
    header.append("}").append(" ".repeat(7 - (header.length() & 7)));
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    try (FileChannel out =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE,
            StandardOpenOption.SPARSE)) {
      ByteBuffer start = ByteBuffer.allocate(8 + json.length).order(ByteOrder.LITTLE_ENDIAN);
      out.write(start.putLong(json.length).put(json).flip());
      out.write(ByteBuffer.wrap(new byte[1]), 8 + json.length + at - 1);
    }
  }

  @Test
  void loadingFourGibibytesTakesMemoryForWhatIsTouched() throws IOException, InterruptedException {
    assertThat(Files.size(folder.resolve("model.safetensors"))).isGreaterThan(4L << 30);
    long[] kib = run();
    assertThat((kib[1] - kib[0]) / 1024).as("MiB more once it is loaded").isLessThan(150);
    assertThat((kib[2] - kib[1]) / 1024)
        .as("MiB more after three tokens, of which 17 are the layer's weights")
        .isBetween(16L, 150L);
  }

  @Test
  void whatItWouldTakeInAllIsKnownBefore() {
    try (ModelFiles files = ModelFiles.open(folder)) {
      ModelMemory inPlace = ModelMemory.of(files, Precision.FILE);
      assertThat(inPlace.resident() / MIB).isBetween(4096L + 16, 4096L + 18);
      assertThat(inPlace.copied()).isZero();
      assertThat(ModelMemory.of(files, Precision.BF16).copied() / MIB)
          .isBetween(2048L + 8, 2048L + 9);
      assertThat(inPlace.describe()).startsWith("takes 4.0 GiB of memory: ");
    }
  }

  private static long[] run() throws IOException, InterruptedException {
    String classPath =
        Stream.of(
                LanguageModel.class,
                LoadRun.class,
                DType.class,
                JsonFactory.class,
                IntArrayList.class)
            .map(MappedLoadingContractTest::place)
            .map(Path::toString)
            .collect(Collectors.joining(File.pathSeparator));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath,
                LoadRun.class.getName(),
                folder.toString(),
                "FILE")
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    String last = output.lines().toList().getLast();
    return Arrays.stream(last.split(" ")).mapToLong(Long::parseLong).toArray();
  }

  /** The folder or jar that a class was read from; a test is patched into its module. */
  private static Path place(Class<?> type) {
    String resource = "/" + type.getName().replace('.', '/') + ".class";
    String url = type.getResource(resource).toString();
    return Path.of(
        URI.create(url.substring(0, url.length() - resource.length()).replaceAll("^jar:|!$", "")));
  }
}
