package dev.sortie.nn.format;

import static dev.sortie.nn.format.FormatFixtures.assertRefused;
import static dev.sortie.nn.format.FormatFixtures.ramp;
import static dev.sortie.nn.format.FormatFixtures.write;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Shards read as one model, and an index that lies is refused. */
@Tag("any-kernels")
class ShardIndexContractTest {
  private static final String ONE = "model-00001-of-00002.safetensors";
  private static final String TWO = "model-00002-of-00002.safetensors";
  private static final String GOOD =
      """
      {"metadata":{"total_size":24},"weight_map":{"c":"%s","a":"%s","b":"%s"}}
      """
          .formatted(TWO, ONE, ONE);

  @TempDir Path root;
  private final NativeArena arena = new NativeArena("test");
  private Path folder;
  private Path index;

  @BeforeEach
  void shards() throws IOException {
    folder = Files.createDirectory(root.resolve("model"));
    index = folder.resolve("model.safetensors.index.json");
    new SafetensorsWriter()
        .metadata("format", "pt")
        .tensor("a", ramp(arena, DType.F32, 2, 1), 2)
        .tensor("b", ramp(arena, DType.BF16, 4, 2), 2, 2)
        .write(folder.resolve(ONE));
    new SafetensorsWriter().tensor("c", ramp(arena, DType.F64, 1, 3), 1).write(folder.resolve(TWO));
  }

  @AfterEach
  void close() {
    arena.close();
  }

  @Test
  void aNameThatTheSystemCannotWriteIsRefused() {
    write(index, GOOD.replace(ONE, "model-\\u0000.safetensors"));
    assertRefused(() -> Safetensors.open(folder), List.of("weight_map.a", "a plain file name"));
    write(index, GOOD.replace(ONE, "x".repeat(256) + ".safetensors"));
    assertRefused(() -> Safetensors.open(folder), List.of("weight_map.a", "at most 255 letters"));
    // a NUL is refused before; an unpaired surrogate in a name has no bytes in any encoding
    write(index, GOOD.replace(ONE, "model-\\ud800.safetensors"));
    assertRefused(() -> Safetensors.open(folder), List.of("model.safetensors.index.json"));
  }

  @Test
  void shardsMayBeLinksToTheBlobsOfTheHubsCache() throws IOException {
    Path repo = Files.createDirectory(root.resolve("models--acme--tiny"));
    Path blobs = Files.createDirectory(repo.resolve("blobs"));
    Path snapshot = Files.createDirectories(repo.resolve("snapshots/0123"));
    write(index, GOOD);
    for (String name : List.of(ONE, TWO, index.getFileName().toString())) {
      Files.move(folder.resolve(name), blobs.resolve("hash-of-" + name));
      Files.createSymbolicLink(snapshot.resolve(name), Path.of("../../blobs/hash-of-" + name));
    }
    try (Safetensors source = Safetensors.open(snapshot)) {
      assertThat(source.tensors().keySet()).containsExactly("c", "a", "b");
    }
    Path elsewhere = Files.createDirectories(root.resolve("other/blobs"));
    Files.move(blobs.resolve("hash-of-" + ONE), elsewhere.resolve("x"));
    Files.delete(snapshot.resolve(ONE));
    Files.createSymbolicLink(snapshot.resolve(ONE), elsewhere.resolve("x"));
    assertRefused(() -> Safetensors.open(snapshot), List.of("a link to", "outside the folder"));
  }

  @Test
  void shardsReadAsOneModelInTheOrderOfTheIndex() {
    write(index, GOOD);
    for (Path origin : List.of(folder, index)) {
      try (Safetensors source = Safetensors.open(origin)) {
        assertThat(source.tensors().keySet()).containsExactly("c", "a", "b");
        assertThat(source.read("a").get(1)).isEqualTo(2.5);
        assertThat(source.read("b", 2, 2).get(3)).isEqualTo(5.5);
        assertThat(source.read("c").get(0)).isEqualTo(3.5);
        assertThat(source.metadata()).containsEntry("format", "pt");
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"24.0", "2.4e1"})
  void aTotalSizeWrittenAsFloatIsTaken(String size) {
    write(index, GOOD.replace("24", size));
    try (Safetensors source = Safetensors.open(folder)) {
      assertThat(source.tensors()).hasSize(3);
    }
  }

  /** An edit of the good index, and what the message must say. */
  enum Corruption {
    HANDCRAFTED_PARENT_FOLDER(
        "\"c\":\"" + TWO, "\"c\":\"../" + TWO, "weight_map.c", "../" + TWO, "plain file name"),
    HANDCRAFTED_SUB_FOLDER(
        "\"c\":\"" + TWO, "\"c\":\"x/" + TWO, "weight_map.c", "x/" + TWO, "plain file name"),
    HANDCRAFTED_ABSOLUTE(
        "\"c\":\"" + TWO, "\"c\":\"/" + TWO, "weight_map.c", "/" + TWO, "plain file name"),
    HANDCRAFTED_BACKSLASH(
        "\"c\":\"" + TWO, "\"c\":\"..\\\\" + TWO, "weight_map.c", "plain file name"),
    HANDCRAFTED_DRIVE(
        "\"c\":\"" + TWO, "\"c\":\"c:" + TWO, "weight_map.c", "c:", "plain file name"),
    HANDCRAFTED_NUL(
        "\"c\":\"" + TWO, "\"c\":\"\\u0000" + TWO, "weight_map.c", "\\u0000", "plain file name"),
    HANDCRAFTED_OTHER_FILE(
        "\"c\":\"" + TWO, "\"c\":\"config.json", "weight_map.c", "config.json", ".safetensors"),
    HANDCRAFTED_NUMBER("\"c\":\"" + TWO + "\"", "\"c\":2", "weight_map.c", "2", "a string"),
    HANDCRAFTED_NO_SUCH_SHARD(
        "\"c\":\"" + TWO, "\"c\":\"no.safetensors", "no.safetensors", "no such file"),
    HANDCRAFTED_LINK_OUT_OF_FOLDER(
        "\"c\":\"" + TWO, "\"c\":\"link.safetensors", "weight_map.c", "outside the folder"),
    HANDCRAFTED_WRONG_SHARD("\"a\":\"" + ONE, "\"a\":\"" + TWO, "weight_map.a", TWO, ONE),
    HANDCRAFTED_TENSOR_NOWHERE(
        "\"a\":", "\"d\":\"" + ONE + "\",\"a\":", "weight_map.d", ONE, "no shard"),
    HANDCRAFTED_TENSOR_NOT_LISTED("\"a\":\"" + ONE + "\",", "", "weight_map", "\"a\"", ONE),
    HANDCRAFTED_TENSOR_TWICE(
        "\"c\":\"" + TWO,
        "\"x\":\"copy.safetensors\",\"c\":\"" + TWO,
        "\"c\"",
        TWO,
        "copy.safetensors"),
    HANDCRAFTED_LISTED_TWICE("\"a\":\"", "\"c\":\"", "Duplicate", "'c'"),
    HANDCRAFTED_TOTAL_SIZE("24", "25", "metadata.total_size", "25", "24"),
    HANDCRAFTED_TOTAL_SIZE_FRACTION("24", "24.5", "metadata.total_size", "24.5", "whole"),
    HANDCRAFTED_TOTAL_SIZE_TEXT("24", "\"24\"", "metadata.total_size", "\"24\"", "a number"),
    HANDCRAFTED_UNKNOWN_FIELD(
        "{\"metadata\"", "{\"extra\":1,\"metadata\"", "\"extra\"", "weight_map"),
    HANDCRAFTED_NO_MAP(
        "weight_map\":{\"c\":\"%s\",\"a\":\"%s\",\"b\":\"%s\"".formatted(TWO, ONE, ONE),
        "weight_map\":{",
        "weight_map",
        "empty"),
    HANDCRAFTED_SECOND_DOCUMENT("}}\n", "}} {}", "after the end of the document");

    private final String from;
    private final String to;
    private final List<String> message;

    Corruption(String from, String to, String... message) {
      this.from = from;
      this.to = to;
      this.message = List.of(message);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyCorruptionIsRefusedByName(Corruption corruption) throws IOException {
    Files.copy(folder.resolve(TWO), root.resolve("outside.safetensors"));
    Files.createSymbolicLink(
        folder.resolve("link.safetensors"), root.resolve("outside.safetensors"));
    Files.copy(folder.resolve(TWO), folder.resolve("copy.safetensors"));
    assertThat(GOOD).contains(corruption.from);
    write(index, GOOD.replace(corruption.from, corruption.to));
    assertRefused(() -> Safetensors.open(folder).close(), corruption.message);
    assertRefused(() -> Safetensors.open(folder).close(), List.of(folder.toString()));
  }

  @Test
  void aFolderWithTwoAnswersOrNoneIsRefused() throws IOException {
    write(index, GOOD);
    Files.copy(folder.resolve(ONE), folder.resolve("model.safetensors"));
    assertRefused(
        () -> Safetensors.open(folder).close(),
        List.of(folder.toString(), "both", "model.safetensors.index.json"));
    assertRefused(
        () -> Safetensors.open(root).close(),
        List.of(root.toString(), "neither", "model.safetensors"));
    Path none = root.resolve("none.safetensors");
    assertRefused(() -> Safetensors.open(none).close(), List.of(none.toString(), "no such file"));
  }
}
