package dev.sortie.nn.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A model named as on the hub is found in the cache, or the command that brings it is named. */
@Tag("any-kernels")
class CachedModelContractTest {
  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  @TempDir private Path root;
  private HubCache cache;

  @BeforeEach
  void makeCache() throws IOException {
    cache = new HubCache(root);
    snapshot("acme", "folder", "config.json", "model.safetensors");
    snapshot("acme", "one", "q4.gguf");
    snapshot("acme", "two", "q4.gguf", "sub/q8.gguf");
    snapshot("acme", "none", "README.md");
  }

  private void snapshot(String owner, String name, String... files) throws IOException {
    Path repo = root.resolve("models--" + owner + "--" + name);
    Path snapshot = repo.resolve("snapshots").resolve(COMMIT);
    for (String file : files) {
      Files.createDirectories(snapshot.resolve(file).getParent());
      Files.writeString(snapshot.resolve(file), "x");
    }
    Files.createDirectories(repo.resolve("refs/refs/pr"));
    Files.writeString(repo.resolve("refs/main"), COMMIT + "\n");
    Files.writeString(repo.resolve("refs/refs/pr/1"), COMMIT);
  }

  private Path find(String text) {
    return CachedModel.find(text, cache).orElseThrow();
  }

  private Path in(String name, String file) {
    return root.resolve("models--acme--" + name + "/snapshots/" + COMMIT).resolve(file);
  }

  private void assertRefused(String text, String... parts) {
    assertThatThrownBy(() -> CachedModel.find(text, cache))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll(parts)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void foldersAndSingleGgufFilesAreFound() {
    assertThat(find("acme/folder")).isEqualTo(in("folder", ""));
    assertThat(find("acme/folder@main")).isEqualTo(in("folder", ""));
    assertThat(find("acme/folder@refs/pr/1")).isEqualTo(in("folder", ""));
    assertThat(find("acme/folder@" + COMMIT)).isEqualTo(in("folder", ""));
    assertThat(find("acme/one")).isEqualTo(in("one", "q4.gguf"));
  }

  @Test
  void oneOfSeveralGgufFilesIsNamed() {
    assertThat(find("acme/two/q4.gguf")).isEqualTo(in("two", "q4.gguf"));
    assertThat(find("acme/two/sub/q8.gguf")).isEqualTo(in("two", "sub/q8.gguf"));
    assertThat(find("acme/two@main/sub/q8.gguf")).isEqualTo(in("two", "sub/q8.gguf"));
    assertRefused(
        "acme/two",
        "has several GGUF files of it: [q4.gguf, sub/q8.gguf]; name one as acme/two/FILE.gguf");
  }

  @Test
  void whatIsNotThereNamesThePull() {
    assertRefused(
        "acme/other",
        "acme/other: no such file or folder, and the cache",
        "run sortie pull acme/other");
    assertRefused("acme/folder@v2", "run sortie pull acme/folder --revision v2");
    assertRefused("acme/two/q5.gguf", "run sortie pull acme/two --gguf q5.gguf");
    assertRefused(
        "acme/none", "holds neither config.json nor a .gguf file; run sortie pull acme/none");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model",
        "/acme/one",
        "./acme/one",
        "acme/one/",
        "a/b/c",
        "../one",
        "acme/..",
        "a--b/c",
        "",
        "/",
        "acme/"
      })
  void otherTextsAreNoNamesOfTheHub(String text) {
    assertThat(CachedModel.find(text, cache)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"acme/one@../../x", "acme/one@", "acme/one@/x", "acme/two/../x.gguf"})
  void pathsThatLeaveTheCacheAreRefused(String text) {
    assertRefused(text, "is refused");
  }

  @Test
  void aDamagedRefIsRefused() throws IOException {
    Files.writeString(root.resolve("models--acme--one/refs/main"), "../../../etc");
    assertRefused(
        "acme/one",
        "refs/main: holds no commit of 40 hex digits; remove it and pull acme/one again");
  }
}
