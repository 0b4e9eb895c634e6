package dev.sortie.nn.hub;

import static dev.sortie.nn.hub.Faults.LENGTH;
import static dev.sortie.nn.hub.Faults.SIZE;
import static dev.sortie.nn.hub.Faults.WEIGHTS;
import static dev.sortie.nn.hub.Faults.firstHalf;
import static dev.sortie.nn.hub.Faults.names;
import static dev.sortie.nn.hub.Faults.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** One row a misbehaviour that a pull gets over. */
@Tag("any-kernels")
class PullRecoveryContractTest {
  private static final FileChoice ALL = new FileChoice.Runnable();

  @TempDir private Path temp;

  private DynamicTest recovers(String name, Consumer<FakeHub> fault) {
    return recovers(name, fault, cache -> {});
  }

  private DynamicTest recovers(String name, Consumer<FakeHub> fault, Consumer<Path> before) {
    return recovers(name, fault, before, FakeHub::settings);
  }

  /** The fault is a server that is silent for longer than the pull waits. */
  private DynamicTest recoversFromSilence(String name, Consumer<FakeHub> fault) {
    return recovers(name, fault, cache -> {}, (hub, cache) -> hub.impatient(cache, 1));
  }

  private DynamicTest recovers(
      String name,
      Consumer<FakeHub> fault,
      Consumer<Path> before,
      BiFunction<FakeHub, Path, HubSettings> settings) {
    return dynamicTest(
        name,
        () -> {
          Path cache = Files.createTempDirectory(temp, "cache");
          try (FakeHub hub = new FakeHub()) {
            fault.accept(hub);
            before.accept(
                cache.resolve(
                    "models--acme--tiny-1.0/blobs/%s.sortie.incomplete"
                        .formatted(hub.etag("model.safetensors"))));
            Pull.Result result =
                new Pull(settings.apply(hub, cache), PullListener.NONE)
                    .run(FakeHub.REPO, "main", ALL);
            for (String file : result.files().keySet()) {
              assertThat(result.snapshot().resolve(file)).hasBinaryContent(hub.file(file));
            }
            assertThat(result.files()).hasSize(3);
            assertThat(names(cache)).noneMatch(n -> n.endsWith("incomplete") || n.endsWith("tmp"));
          }
        });
  }

  private static void write(Path file, byte[] bytes) {
    try {
      Files.createDirectories(file.getParent());
      Files.write(file, bytes);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @TestFactory
  Stream<DynamicTest> gotOver() {
    return Stream.of(
        recovers("the body ends early", h -> h.fault("GET", WEIGHTS, 1, firstHalf(h))),
        recovers(
            "the body ends early, twice, and once before its first byte",
            h ->
                h.fault("GET", WEIGHTS, 1, firstHalf(h))
                    .fault(
                        "GET",
                        WEIGHTS,
                        1,
                        (r, s) ->
                            RawServer.head(
                                s,
                                206,
                                "content-length",
                                "100000",
                                "content-range",
                                "bytes 100000-199999/200000"))
                    .fault(
                        "GET",
                        WEIGHTS,
                        1,
                        (r, s) -> {
                          RawServer.head(
                              s,
                              206,
                              "content-length",
                              "100000",
                              "content-range",
                              "bytes 100000-199999/200000");
                          RawServer.body(s, h.file("model.safetensors"), 100_000, 150_000);
                        })),
        recovers(
            "500, 502, 503, of the listing",
            h ->
                h.fault("GET", "/api/", 1, status(500))
                    .fault("GET", "/api/", 1, status(502))
                    .fault("GET", "/api/", 1, status(503))),
        recovers("503 of a HEAD", h -> h.fault("HEAD", "config.json", 2, status(503))),
        recovers("504 of a download", h -> h.fault("GET", WEIGHTS, 3, status(504))),
        recovers("429 without a wait", h -> h.fault("GET", "/api/", 2, status(429))),
        recovers(
            "429 with Retry-After as a date",
            h ->
                h.fault(
                    "GET",
                    "/api/",
                    1,
                    status(
                        429,
                        "retry-after",
                        DateTimeFormatter.RFC_1123_DATE_TIME.format(
                            ZonedDateTime.now(ZoneOffset.UTC))))),
        recovers(
            "429 with a Retry-After that is none",
            h -> h.fault("GET", "/api/", 1, status(429, "retry-after", "soon"))),
        recovers(
            "no answer, the connection is closed", h -> h.fault("GET", "/api/", 1, (r, s) -> {})),
        recoversFromSilence(
            "no answer at all",
            h -> h.fault("HEAD", "config.json", 1, (r, s) -> PullContractTest.sleep(2000))),
        recoversFromSilence(
            "silence in the middle",
            h ->
                h.fault(
                    "GET",
                    WEIGHTS,
                    1,
                    (r, s) -> {
                      RawServer.head(s, 200, "content-length", LENGTH);
                      RawServer.body(s, h.file("model.safetensors"), 0, 10);
                      PullContractTest.sleep(2000);
                    })),
        recovers(
            "garbage instead of HTTP",
            h ->
                h.fault(
                    "GET",
                    "/api/",
                    1,
                    (r, s) ->
                        s.getOutputStream()
                            .write("garbage\r\n\r\n".getBytes(StandardCharsets.UTF_8)))),
        recovers(
            "the range is ignored",
            h ->
                h.fault("GET", WEIGHTS, 1, firstHalf(h))
                    .fault(
                        "GET",
                        WEIGHTS,
                        1,
                        (r, s) -> {
                          RawServer.head(s, 200, "content-length", LENGTH);
                          RawServer.body(s, h.file("model.safetensors"), 0, SIZE);
                        })),
        recovers(
            "another range comes",
            h ->
                h.fault("GET", WEIGHTS, 1, firstHalf(h))
                    .fault(
                        "GET",
                        WEIGHTS,
                        1,
                        (r, s) -> {
                          RawServer.head(
                              s,
                              206,
                              "content-length",
                              "150000",
                              "content-range",
                              "bytes 50000-199999/200000");
                          RawServer.body(s, h.file("model.safetensors"), 50_000, SIZE);
                        })),
        recovers(
            "a range of a file of another size comes",
            h ->
                h.fault("GET", WEIGHTS, 1, firstHalf(h))
                    .fault(
                        "GET",
                        WEIGHTS,
                        1,
                        (r, s) ->
                            RawServer.head(
                                s,
                                206,
                                "content-length",
                                "100000",
                                "content-range",
                                "bytes 100000-199999/300000"))),
        recovers(
            "206 without a range",
            h ->
                h.fault("GET", WEIGHTS, 1, firstHalf(h))
                    .fault(
                        "GET",
                        WEIGHTS,
                        1,
                        (r, s) -> RawServer.head(s, 206, "content-length", "100000"))),
        recovers(
            "416",
            h -> h.fault("GET", WEIGHTS, 1, firstHalf(h)).fault("GET", WEIGHTS, 1, status(416))),
        recovers(
            "a wrong content length",
            h ->
                h.fault(
                    "GET",
                    WEIGHTS,
                    1,
                    (r, s) -> {
                      RawServer.head(s, 200, "content-length", "199999");
                      RawServer.body(s, h.file("model.safetensors"), 0, SIZE - 1);
                    })),
        recovers(
            "more comes than promised, without a length",
            h ->
                h.fault(
                    "GET",
                    WEIGHTS,
                    1,
                    (r, s) -> {
                      RawServer.head(s, 200);
                      RawServer.body(s, new byte[SIZE + 1], 0, SIZE + 1);
                    })),
        recovers(
            "no length at all",
            h ->
                h.fault(
                    "GET",
                    WEIGHTS,
                    1,
                    (r, s) -> {
                      RawServer.head(s, 200);
                      RawServer.body(s, h.file("model.safetensors"), 0, SIZE);
                    })),
        recovers(
            "the file changed between two pieces",
            h ->
                h.fault(
                    "GET",
                    WEIGHTS,
                    1,
                    (r, s) -> {
                      RawServer.head(s, 200, "content-length", LENGTH);
                      RawServer.body(s, new byte[SIZE], 0, SIZE / 2);
                    })),
        recovers(
            "an earlier pull left another file's start",
            h -> {},
            partial -> write(partial, new byte[1000])),
        recovers(
            "an earlier pull left all, but not its own bytes",
            h -> {},
            partial -> write(partial, new byte[SIZE])),
        recovers(
            "an earlier pull left too much",
            h -> {},
            partial -> write(partial, new byte[SIZE + 1])),
        recovers(
            "the listing has no hashes and sizes",
            h ->
                h.listing(
                    "siblings",
                    List.of(
                        Map.of("rfilename", "config.json"),
                        Map.of("rfilename", "tokenizer.json"),
                        Map.of("rfilename", "model.safetensors")))),
        recovers("a file with a bad name that nobody asked for", h -> h.small("../../evil", "x")));
  }

  @TestFactory
  Stream<DynamicTest> whatCameIsKept() {
    return Stream.of(
        dynamicTest(
            "the second request asks for the rest alone",
            () -> {
              try (FakeHub hub = new FakeHub()) {
                hub.fault("GET", WEIGHTS, 1, firstHalf(hub));
                var result =
                    new Pull(hub.settings(temp), PullListener.NONE).run(FakeHub.REPO, "main", ALL);
                assertThat(hub.store.seen()).hasSize(2);
                assertThat(hub.store.seen().getLast().header("range")).isEqualTo("bytes=100000-");
                assertThat(result.downloaded())
                    .isEqualTo(result.files().values().stream().mapToLong(n -> n).sum());
              }
            }),
        dynamicTest(
            "429 is waited for as long as the server says",
            () -> {
              try (FakeHub hub = new FakeHub()) {
                hub.fault("GET", "/api/", 1, status(429, "retry-after", "1"));
                long start = System.nanoTime();
                new Pull(hub.settings(temp), PullListener.NONE).run(FakeHub.REPO, "main", ALL);
                assertThat(System.nanoTime() - start).isGreaterThan(1_000_000_000L);
              }
            }));
  }
}
