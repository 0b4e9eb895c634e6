package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files as they are published, where they differ from what transformers writes today. */
class FamilyFilesContractTest {
  @TempDir Path folder;

  /** The header and data of a safetensors file. */
  private record Parts(String header, byte[] data) {
    static Parts of(String model) throws IOException {
      byte[] all =
          Files.readAllBytes(Fixture.folder("families/" + model).resolve("model.safetensors"));
      int length = (int) ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).getLong();
      return new Parts(
          new String(all, 8, length, StandardCharsets.UTF_8).strip(),
          Arrays.copyOfRange(all, 8 + length, all.length));
    }

    /** One tensor more, of some bytes. */
    Parts with(String name, String dtype, String shape, int bytes) {
      String entry =
          ",\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}}"
              .formatted(name, dtype, shape, data.length, data.length + bytes);
      return new Parts(
          header.substring(0, header.length() - 1) + entry,
          Arrays.copyOf(data, data.length + bytes));
    }

    void write(Path file) throws IOException {
      byte[] text = header.getBytes(StandardCharsets.UTF_8);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).array());
      out.write(text);
      out.write(data);
      Files.write(file, out.toByteArray());
    }
  }

  private void write(String model, Parts weights) throws IOException {
    Path from = Fixture.folder("families/" + model);
    Files.copy(from.resolve("config.json"), folder.resolve("config.json"));
    Files.copy(from.resolveSibling("tokenizer.json"), folder.resolve("tokenizer.json"));
    weights.write(folder.resolve("model.safetensors"));
  }

  private void assertLogitsOf(String model) {
    try (Bench bench = Bench.open(1);
        LanguageModel m = LanguageModel.load(folder, Precision.F32, bench.device());
        Fixture expected = Fixture.open("families/" + model)) {
      Tensor ids = expected.ids(bench, "input_ids");
      Tensor logits = NoGrad.call(() -> m.decoder().forward(bench.ops(), ids));
      Parity.near("logits", logits.span(), expected.read("logits"), 1e-4);
    }
  }

  @Test
  void gpt2MayLackItsPrefixAndHoldMasks() throws IOException {
    Parts parts = Parts.of("gpt2");
    Parts bare = new Parts(parts.header.replace("transformer.", ""), parts.data);
    write("gpt2", bare.with("h.0.attn.bias", "F32", "[1,1,2,2]", 16));
    assertLogitsOf("gpt2");
  }

  @Test
  void gptNeoXMayHoldMasksOfAnyType() throws IOException {
    write(
        "gpt-neox",
        Parts.of("gpt-neox")
            .with("gpt_neox.layers.0.attention.bias", "BOOL", "[1,1,2,3]", 6)
            .with("gpt_neox.layers.0.attention.masked_bias", "F16", "[]", 2)
            .with("gpt_neox.layers.0.attention.rotary_emb.inv_freq", "F32", "[2]", 8));
    assertLogitsOf("gpt-neox");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "gpt_neox.layers.0.attention.bias | BOOL | [1,1,2,3] | 5 | needs 6",
        "gpt_neox.layers.0.attention.bias | F8_E5M2 | [2] | 2 | F8_E5M2",
        "gpt_neox.layers.0.mlp.more | BOOL | [2] | 2 | BOOL",
        "gpt_neox.layers.0.mlp.more | F32 | [2] | 8 | is not part of the model",
      })
  void otherTensorsAreRefusedByName(
      String name, String dtype, String shape, int bytes, String message) throws IOException {
    write("gpt-neox", Parts.of("gpt-neox").with(name, dtype, shape, bytes));
    try (Bench bench = Bench.open(1)) {
      assertThatThrownBy(() -> LanguageModel.load(folder, Precision.F32, bench.device()).close())
          .isInstanceOf(InputException.class)
          .hasMessageContainingAll(folder.toString(), name, message);
    }
  }

  @Test
  void aMissingTensorIsNamedAsTheFileWouldHaveIt() throws IOException {
    Parts parts = Parts.of("gpt2");
    write("gpt2", new Parts(parts.header.replace("h.1.attn.c_attn", "h.1.attn.other"), parts.data));
    assertThatThrownBy(() -> ModelFiles.open(folder).close())
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll("transformer.h.1.attn.c_attn", "is missing");
    assertThat(folder).isDirectoryContaining(f -> f.endsWith("config.json"));
  }
}
