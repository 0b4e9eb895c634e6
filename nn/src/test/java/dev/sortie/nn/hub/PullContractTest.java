package dev.sortie.nn.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a pull brings, and where it lies then. */
@Tag("any-kernels")
class PullContractTest {
  private static final FileChoice ALL = new FileChoice.Runnable();

  @TempDir private Path cache;
  private final FakeHub hub = new FakeHub();

  @AfterEach
  void close() {
    hub.close();
  }

  private Pull.Result pull(FileChoice choice) {
    return new Pull(hub.settings(cache), PullListener.NONE).run(FakeHub.REPO, "main", choice);
  }

  private void assertRefused(FileChoice choice, String... parts) {
    Assertions.assertThatThrownBy(() -> pull(choice))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll(parts)
        .message()
        .doesNotContain("\n");
  }

  private List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(Files::isRegularFile)
          .map(f -> folder.relativize(f).toString())
          .sorted()
          .toList();
    }
  }

  @Test
  void whatIsNeededToRunLiesInTheStandardLayout() throws IOException {
    Pull.Result result = pull(ALL);

    Path repo = cache.resolve("models--acme--tiny-1.0");
    assertThat(result.snapshot()).isEqualTo(repo.resolve("snapshots/" + FakeHub.COMMIT));
    assertThat(names(result.snapshot()))
        .containsExactly("config.json", "model.safetensors", "tokenizer.json");
    for (String name : result.files().keySet()) {
      Path link = result.snapshot().resolve(name);
      assertThat(Files.readSymbolicLink(link)).isEqualTo(Path.of("../../blobs/" + hub.etag(name)));
      assertThat(link).hasBinaryContent(hub.file(name));
      assertThat(result.files().get(name)).isEqualTo(Files.size(link));
    }
    assertThat(names(repo.resolve("blobs"))).hasSize(3);
    assertThat(repo.resolve("refs/main")).hasContent(FakeHub.COMMIT);
    assertThat(result.downloaded())
        .isEqualTo(result.files().values().stream().mapToLong(Long::longValue).sum());
  }

  @Test
  void aSecondPullDownloadsNothing() {
    pull(ALL);
    hub.store.seen().clear();
    assertThat(pull(ALL).downloaded()).isZero();
    assertThat(hub.store.seen()).isEmpty();
  }

  @Test
  void aDamagedBlobIsReplaced() throws IOException {
    Path file = pull(ALL).snapshot().resolve("model.safetensors");
    Files.write(file.toRealPath(), new byte[10]);
    pull(ALL);
    assertThat(file).hasBinaryContent(hub.file("model.safetensors"));
  }

  /** The size tells nothing of this damage; a file of each kind of hash. */
  @Test
  void aBlobOfTheRightSizeWithAWrongByteIsReplaced() throws IOException {
    Path snapshot = pull(ALL).snapshot();
    for (String name : List.of("model.safetensors", "config.json")) {
      Path blob = snapshot.resolve(name).toRealPath();
      byte[] bytes = Files.readAllBytes(blob);
      bytes[bytes.length / 2] ^= 1;
      Files.write(blob, bytes);
      List<String> notes = new ArrayList<>();
      PullListener listener =
          new PullListener() {
            @Override
            public void note(String line) {
              notes.add(line);
            }
          };
      Pull.Result again = new Pull(hub.settings(cache), listener).run(FakeHub.REPO, "main", ALL);
      assertThat(snapshot.resolve(name)).hasBinaryContent(hub.file(name));
      assertThat(again.downloaded()).isEqualTo(bytes.length);
      assertThat(notes)
          .singleElement()
          .asString()
          .startsWith(name + ": what the cache has was damaged");
    }
    assertThat(pull(ALL).downloaded()).isZero();
  }

  /** Two bytes every 50 ms are 32 in the time in which 100 are expected. */
  @Test
  void aServerThatCrawlsIsGivenUp() throws IOException {
    hub.fault(
        "GET",
        "/blob/model.safetensors",
        9,
        (r, s) -> {
          int from = Integer.parseInt("0" + r.header("range").replaceAll("\\D", ""));
          RawServer.head(
              s,
              from == 0 ? 200 : 206,
              "content-length",
              "" + (200_000 - from),
              "content-range",
              "bytes %d-199999/200000".formatted(from));
          for (int at = from; at < 1000; at += 2) {
            RawServer.body(s, hub.file("model.safetensors"), at, at + 2);
            sleep(50);
          }
        });
    long start = System.nanoTime();
    Assertions.assertThatThrownBy(
            () ->
                new Pull(hub.impatient(cache, 100), PullListener.NONE)
                    .run(FakeHub.REPO, "main", ALL))
        .isInstanceOf(InputException.class)
        .message()
        .containsPattern(
            "only \\d+ bytes came in 0.8 s, at least 100 are expected, 4 times in a row");
    assertThat(System.nanoTime() - start).isLessThan(10_000_000_000L);
    assertThat(names(cache)).as("what has come").anyMatch(n -> n.endsWith(".incomplete"));
  }

  @Test
  void theTokenGoesToTheHubAndNowhereElse() {
    pull(ALL);
    assertThat(hub.hub.seen())
        .isNotEmpty()
        .allSatisfy(
            r -> assertThat(r.header("authorization")).isEqualTo("Bearer " + FakeHub.TOKEN));
    assertThat(hub.store.seen())
        .isNotEmpty()
        .allSatisfy(r -> assertThat(r.headers()).doesNotContainKey("authorization"));
  }

  @Test
  void theTokenFollowsARedirectionThatStaysAtTheHub() {
    hub.fault(
        "HEAD",
        "/config.json",
        1,
        (r, s) ->
            RawServer.head(
                s,
                307,
                "location",
                "/acme/tiny-1.0/resolve/" + FakeHub.COMMIT + "/config.json?moved",
                "content-length",
                "0"));
    pull(ALL);
    assertThat(hub.hub.seen())
        .filteredOn(r -> r.target().endsWith("?moved"))
        .hasSize(1)
        .allSatisfy(r -> assertThat(r.header("authorization")).isNotEmpty());
  }

  @Test
  void shardsAreThoseThatTheIndexNames() throws IOException {
    hub.without("model.safetensors")
        .large("model-00001-of-00002.safetensors", FakeHub.bytes(3000, 3))
        .large("model-00002-of-00002.safetensors", FakeHub.bytes(4000, 4))
        .large("consolidated.safetensors", FakeHub.bytes(7000, 5))
        .small(
            "model.safetensors.index.json",
            """
            {"metadata":{},"weight_map":{"a":"model-00001-of-00002.safetensors",
             "b":"model-00002-of-00002.safetensors","c":"model-00001-of-00002.safetensors"}}
            """);
    assertThat(names(pull(ALL).snapshot()))
        .containsExactly(
            "config.json",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
            "tokenizer.json");
  }

  @Test
  void anIndexThatNamesAMissingFileIsRefused() {
    hub.without("model.safetensors")
        .small("model.safetensors.index.json", "{\"weight_map\":{\"a\":\"../../up.safetensors\"}}");
    assertRefused(ALL, "names \"../../up.safetensors\", which the repository does not have");
  }

  @Test
  void patternsChooseOtherFiles() throws IOException {
    hub.small("extra/notes.txt", "deep");
    Pull.Result result = pull(new FileChoice.Matching(List.of("*.md", "extra/*", "config.jso?")));
    assertThat(names(result.snapshot()))
        .containsExactly("README.md", "config.json", "extra/notes.txt");
    assertThat(Files.readSymbolicLink(result.snapshot().resolve("extra/notes.txt")))
        .isEqualTo(Path.of("../../../blobs/" + hub.etag("extra/notes.txt")));
    assertRefused(
        new FileChoice.Matching(List.of("*.md", "*.onnx")),
        "no file matches --include \"*.onnx\"; there are: config.json (23 B), ");
  }

  @Test
  void aGgufFileIsChosenByNameOrByAPartThatOnlyOneHas() throws IOException {
    hub.large("tiny-Q4_0.gguf", FakeHub.bytes(2000, 6))
        .large("tiny-Q8_0.gguf", FakeHub.bytes(3000, 7));
    assertThat(names(pull(new FileChoice.GgufFile("q8")).snapshot()))
        .containsExactly("tiny-Q8_0.gguf");
    assertThat(names(pull(new FileChoice.GgufFile("tiny-Q4_0.gguf")).snapshot()))
        .containsExactly("tiny-Q4_0.gguf", "tiny-Q8_0.gguf");
    assertRefused(
        new FileChoice.GgufFile("tiny"),
        "means 2 files",
        "tiny-Q4_0.gguf (2.0 KiB), tiny-Q8_0.gguf (2.9 KiB)");
    assertRefused(new FileChoice.GgufFile("q5"), "means none of its files", "tiny-Q4_0.gguf");
  }

  @Test
  void aRepositoryOfGgufFilesAloneListsThem() {
    hub.without("model.safetensors").large("tiny-Q4_0.gguf", FakeHub.bytes(2000, 6));
    assertRefused(ALL, "choose a GGUF file with --gguf: tiny-Q4_0.gguf (2.0 KiB)");
  }

  @Test
  void aRepositoryWithoutWeightsThatWeReadIsRefused() {
    hub.without("model.safetensors");
    assertRefused(ALL, "has neither model.safetensors nor", "--include");
    assertRefused(new FileChoice.GgufFile("q4"), "has no .gguf file");
  }

  @Test
  void otherRevisionsHaveRefsOfTheirOwn() {
    new Pull(hub.settings(cache), PullListener.NONE).run(FakeHub.REPO, "refs/pr/1", ALL);
    assertThat(cache.resolve("models--acme--tiny-1.0/refs/refs/pr/1")).hasContent(FakeHub.COMMIT);
    assertThat(hub.hub.seen().getFirst().target())
        .isEqualTo("/api/models/acme/tiny-1.0/revision/refs%2Fpr%2F1?blobs=true");
    assertThat(new HubCache(cache).snapshot(FakeHub.REPO, "main")).isEmpty();
    assertThat(new HubCache(cache).snapshot(FakeHub.REPO, "refs/pr/1")).isPresent();
    assertThat(new HubCache(cache).snapshot(FakeHub.REPO, FakeHub.COMMIT)).isPresent();
  }

  @Test
  void progressTellsOfEveryByte() {
    List<Long> done = new ArrayList<>();
    List<Long> planned = new ArrayList<>();
    new Pull(
            hub.settings(cache),
            new PullListener() {
              @Override
              public void planned(List<String> files, long bytes, long present) {
                planned.add(bytes);
                planned.add(present);
              }

              @Override
              public void progress(String file, long fileDone, long fileBytes, long all) {
                done.add(all);
              }
            })
        .run(FakeHub.REPO, "main", ALL);
    long total = 200_000 + hub.file("config.json").length + hub.file("tokenizer.json").length;
    assertThat(planned).containsExactly(total, 0L);
    assertThat(done).isSorted().last().isEqualTo(total);
  }

  @Test
  void aSecondPullAtTheSameTimeWaitsAndFindsAllThere() throws InterruptedException {
    hub.fault(
        "GET",
        "/blob/model.safetensors",
        1,
        (r, s) -> {
          RawServer.head(s, 200, "content-length", "200000");
          RawServer.body(s, hub.file("model.safetensors"), 0, 100_000);
          sleep(300);
          RawServer.body(s, hub.file("model.safetensors"), 100_000, 200_000);
        });
    List<Pull.Result> results = new ArrayList<>();
    Thread first = Thread.ofVirtual().start(() -> results.add(pull(ALL)));
    while (hub.store.seen().isEmpty()) {
      Thread.sleep(5);
    }
    List<String> notes = new ArrayList<>();
    Pull second =
        new Pull(
            hub.settings(cache),
            new PullListener() {
              @Override
              public void note(String line) {
                notes.add(line);
              }
            });
    assertThat(second.run(FakeHub.REPO, "main", ALL).downloaded()).isZero();
    first.join();
    assertThat(notes).containsExactly("another pull of acme/tiny-1.0 is running; waiting for it");
    assertThat(results).hasSize(1);
    assertThat(hub.store.seen()).hasSize(1);
  }

  static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
