package dev.sortie.nn.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** One row a misbehaviour: what a pull gets over, and what it refuses and leaves nothing of. */
class PullFaultContractTest {
  private static final FileChoice ALL = new FileChoice.Runnable();
  private static final String WEIGHTS = "/blob/model.safetensors";
  private static final int SIZE = 200_000;
  private static final String LENGTH = Integer.toString(SIZE);

  @TempDir private Path temp;

  // ---- what is got over

  private DynamicTest mends(String name, Consumer<FakeHub> fault) {
    return mends(name, fault, cache -> {});
  }

  private DynamicTest mends(String name, Consumer<FakeHub> fault, Consumer<Path> before) {
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
                new Pull(hub.settings(cache), PullListener.NONE).run(FakeHub.REPO, "main", ALL);
            for (String file : result.files().keySet()) {
              assertThat(result.snapshot().resolve(file)).hasBinaryContent(hub.file(file));
            }
            assertThat(result.files()).hasSize(3);
            assertThat(names(cache)).noneMatch(n -> n.endsWith("incomplete") || n.endsWith("tmp"));
          }
        });
  }

  private static RawServer.Answerer status(int status, String... headers) {
    String[] all = Arrays.copyOf(headers, headers.length + 2);
    all[headers.length] = "content-length";
    all[headers.length + 1] = "0";
    return (r, s) -> RawServer.head(s, status, all);
  }

  private static RawServer.Answerer firstHalf(FakeHub hub) {
    return (r, s) -> {
      RawServer.head(s, 200, "content-length", LENGTH);
      RawServer.body(s, hub.file("model.safetensors"), 0, SIZE / 2);
    };
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
        mends("the body ends early", h -> h.fault("GET", WEIGHTS, 1, firstHalf(h))),
        mends(
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
        mends(
            "500, 502, 503, of the listing",
            h ->
                h.fault("GET", "/api/", 1, status(500))
                    .fault("GET", "/api/", 1, status(502))
                    .fault("GET", "/api/", 1, status(503))),
        mends("503 of a HEAD", h -> h.fault("HEAD", "config.json", 2, status(503))),
        mends("504 of a download", h -> h.fault("GET", WEIGHTS, 3, status(504))),
        mends("429 without a wait", h -> h.fault("GET", "/api/", 2, status(429))),
        mends(
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
        mends(
            "429 with a Retry-After that is none",
            h -> h.fault("GET", "/api/", 1, status(429, "retry-after", "soon"))),
        mends("no answer, the connection is closed", h -> h.fault("GET", "/api/", 1, (r, s) -> {})),
        mends(
            "no answer at all",
            h -> h.fault("HEAD", "config.json", 1, (r, s) -> PullContractTest.sleep(600))),
        mends(
            "silence in the middle",
            h ->
                h.fault(
                    "GET",
                    WEIGHTS,
                    1,
                    (r, s) -> {
                      RawServer.head(s, 200, "content-length", LENGTH);
                      RawServer.body(s, h.file("model.safetensors"), 0, 10);
                      PullContractTest.sleep(900);
                    })),
        mends(
            "garbage instead of HTTP",
            h ->
                h.fault(
                    "GET",
                    "/api/",
                    1,
                    (r, s) ->
                        s.getOutputStream()
                            .write("garbage\r\n\r\n".getBytes(StandardCharsets.UTF_8)))),
        mends(
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
        mends(
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
        mends(
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
        mends(
            "206 without a range",
            h ->
                h.fault("GET", WEIGHTS, 1, firstHalf(h))
                    .fault(
                        "GET",
                        WEIGHTS,
                        1,
                        (r, s) -> RawServer.head(s, 206, "content-length", "100000"))),
        mends(
            "416",
            h -> h.fault("GET", WEIGHTS, 1, firstHalf(h)).fault("GET", WEIGHTS, 1, status(416))),
        mends(
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
        mends(
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
        mends(
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
        mends(
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
        mends(
            "an earlier pull left another file's start",
            h -> {},
            partial -> write(partial, new byte[1000])),
        mends(
            "an earlier pull left all, but not its own bytes",
            h -> {},
            partial -> write(partial, new byte[SIZE])),
        mends(
            "an earlier pull left too much",
            h -> {},
            partial -> write(partial, new byte[SIZE + 1])),
        mends(
            "the listing has no hashes and sizes",
            h ->
                h.listing(
                    "siblings",
                    List.of(
                        Map.of("rfilename", "config.json"),
                        Map.of("rfilename", "tokenizer.json"),
                        Map.of("rfilename", "model.safetensors")))),
        mends("a file with a bad name that nobody asked for", h -> h.small("../../evil", "x")));
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

  // ---- what is refused

  private DynamicTest refuses(String name, Consumer<FakeHub> fault, String... parts) {
    return refuses(name, fault, ALL, s -> s, parts);
  }

  private DynamicTest refuses(
      String name,
      Consumer<FakeHub> fault,
      FileChoice choice,
      UnaryOperator<HubSettings> change,
      String... parts) {
    return dynamicTest(
        name,
        () -> {
          Path cache = Files.createTempDirectory(temp, "cache");
          try (FakeHub hub = new FakeHub()) {
            fault.accept(hub);
            Pull pull = new Pull(change.apply(hub.settings(cache)), PullListener.NONE);
            assertThatThrownBy(() -> pull.run(FakeHub.REPO, "main", choice))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(parts)
                .message()
                .doesNotContain("\n", FakeHub.TOKEN, "signature");
            assertThat(names(cache))
                .as("no snapshot, no blob with a wrong content, nothing elsewhere")
                .noneMatch(n -> n.contains("snapshots") || n.contains("refs"))
                .noneMatch(n -> n.endsWith(hub.etag("model.safetensors")));
            assertThat(names(temp)).noneMatch(n -> n.contains("evil"));
          }
        });
  }

  private static HubSettings anonymous(HubSettings s) {
    return new HubSettings(
        s.endpoint(), Optional.empty(), s.tokenFile(), s.cache(), s.offline(), s.retry());
  }

  private DynamicTest refusesName(String name) {
    return refuses(
        "file name " + name.replaceAll("\\p{Cntrl}", "?"),
        h -> h.small(name, "x"),
        new FileChoice.Matching(List.of("*")),
        s -> s,
        "file name",
        "is refused");
  }

  @TestFactory
  Stream<DynamicTest> refused() {
    return Stream.of(
        refuses(
            "other bytes of a large file",
            h -> h.fault("GET", WEIGHTS, 9, (r, s) -> FakeHub.send(r, new byte[SIZE], s)),
            "acme/tiny-1.0/model.safetensors: SHA-256 of what came is ",
            "thrown away"),
        refuses(
            "other bytes of a small file",
            h ->
                h.fault(
                    "GET",
                    "config.json",
                    9,
                    (r, s) -> FakeHub.send(r, new byte[h.file("config.json").length], s)),
            "config.json: git SHA-1 of what came is "),
        refuses(
            "401 without a token",
            h -> h.fault("GET", "/api/", 1, status(401)),
            ALL,
            PullFaultContractTest::anonymous,
            "is private, gated or does not exist",
            "HF_TOKEN"),
        refuses(
            "401 with a token",
            h -> h.fault("GET", "/api/", 1, status(401)),
            "refuses the token from HF_TOKEN"),
        refuses(
            "403 of a gated repository",
            h -> h.fault("HEAD", "config.json", 1, status(403, "x-error-code", "GatedRepo")),
            "is gated; accept its terms at http://127.0.0.1"),
        refuses(
            "403",
            h -> h.fault("GET", WEIGHTS, 1, status(403, "x-error-message", "not yours")),
            "model.safetensors: access is refused (not yours)",
            "the token from HF_TOKEN may not read it"),
        refuses(
            "404 of the repository",
            h -> h.fault("GET", "/api/", 1, status(404, "x-error-code", "RepoNotFound")),
            "has no such repository"),
        refuses(
            "404 of the revision",
            h -> h.fault("GET", "/api/", 1, status(404, "x-error-code", "RevisionNotFound")),
            "has no revision \"main\"; check --revision"),
        refuses(
            "404 of a file",
            h -> h.fault("HEAD", "config.json", 1, status(404)),
            "acme/tiny-1.0/config.json: not found"),
        refuses(
            "418", h -> h.fault("GET", "/api/", 1, status(418)), "answers 418; check HF_ENDPOINT"),
        refuses(
            "500 for ever",
            h -> h.fault("GET", "/api/", 99, status(500)),
            "answers 500, 4 times in a row; try again later"),
        refuses(
            "429 with a wait of an hour",
            h -> h.fault("GET", "/api/", 1, status(429, "retry-after", "3600")),
            "asks for a wait of 3600 s"),
        refuses(
            "the body ends early for ever",
            h ->
                h.fault(
                    "GET", WEIGHTS, 99, (r, s) -> RawServer.head(s, 200, "content-length", LENGTH)),
            "the connection broke",
            "4 times in a row"),
        refuses(
            "more comes than promised, for ever",
            h ->
                h.fault(
                    "GET",
                    WEIGHTS,
                    99,
                    (r, s) -> {
                      RawServer.head(s, 200);
                      RawServer.body(s, new byte[SIZE + 1], 0, SIZE + 1);
                    }),
            "more than the promised 200000 bytes came"),
        refuses(
            "half and a wrong range in turns, for ever",
            h ->
                h.fault(
                    "GET",
                    WEIGHTS,
                    99,
                    (r, s) -> {
                      if (r.header("range").isEmpty()) {
                        firstHalf(h).answer(r, s);
                      } else {
                        RawServer.head(
                            s, 206, "content-length", "1", "content-range", "bytes 7-7/200000");
                      }
                    }),
            "4 times in a row"),
        refuses(
            "redirections in a circle",
            h ->
                h.fault(
                    "GET",
                    "/api/",
                    99,
                    status(302, "location", "/api/models/acme/tiny-1.0/revision/main?again")),
            "sends on more than 5 times"),
        refuses(
            "a redirection to a file",
            h -> h.fault("GET", "/api/", 1, status(302, "location", "file:///etc/passwd")),
            "sends on to \"file:///etc/passwd\"; expected a URL"),
        refuses(
            "a redirection to nowhere",
            h -> h.fault("GET", "/api/", 1, status(302)),
            "sends on to \"\"; expected a URL"),
        refuses(
            "a redirection to no URL",
            h -> h.fault("GET", "/api/", 1, status(302, "location", "http://[")),
            "expected a URL"),
        refuses(
            "the listing is no JSON",
            h -> h.fault("GET", "/api/", 1, (r, s) -> FakeHub.json(s, "<html>")),
            "not strict JSON"),
        refuses(
            "the listing is a list",
            h -> h.fault("GET", "/api/", 1, (r, s) -> FakeHub.json(s, "[]")),
            "expected a JSON object"),
        refuses(
            "the listing has no commit",
            h -> h.listing("sha", "../../../evil"),
            "field \"sha\" is \"../../../evil\", expected a commit of 40 hex digits"),
        refuses(
            "the listing has a file twice",
            h -> h.listing("siblings", List.of(Map.of("rfilename", "a"), Map.of("rfilename", "a"))),
            "expected each file once"),
        refuses(
            "a negative size",
            h -> h.listing("siblings", List.of(Map.of("rfilename", "a", "size", -1))),
            "field \"siblings[0].size\" is -1"),
        refuses(
            "another commit answers",
            h ->
                h.fault(
                    "HEAD",
                    "config.json",
                    1,
                    status(200, "x-repo-commit", "f".repeat(40), "etag", h.etag("config.json"))),
            "answers for commit ffff"),
        refuses(
            "no ETag",
            h -> h.fault("HEAD", "config.json", 1, status(200)),
            "names no hash to check it by (ETag null)"),
        refuses(
            "an ETag that is a path",
            h -> h.fault("HEAD", "config.json", 1, status(200, "etag", "\"../../evil\"")),
            "names no hash to check it by"),
        refuses(
            "an ETag unlike the listing's",
            h -> h.fault("HEAD", "config.json", 1, status(200, "etag", '"' + "e".repeat(40) + '"')),
            "its ETag is eeee",
            "the listing of the repository says"),
        refuses(
            "a size unlike the listing's",
            h ->
                h.fault(
                    "HEAD",
                    "config.json",
                    1,
                    status(200, "x-linked-size", "7", "etag", h.etag("config.json"))),
            "has 7 bytes, the listing of the repository says 23"),
        refuses(
            "more than the disk holds",
            h ->
                h.fault(
                        "HEAD",
                        "model.safetensors",
                        1,
                        status(
                            302,
                            "location",
                            "http://localhost/",
                            "x-linked-etag",
                            "a".repeat(64),
                            "x-linked-size",
                            Long.toString(1L << 49)))
                    .listing("siblings", List.of(Map.of("rfilename", "model.safetensors"))),
            "512.0 TiB are to come",
            "free; make room"),
        refuses(
            "offline",
            h -> {},
            ALL,
            s ->
                new HubSettings(s.endpoint(), s.token(), s.tokenFile(), s.cache(), true, s.retry()),
            "HF_HUB_OFFLINE is set"),
        refuses(
            "nobody listens",
            h -> h.hub.close(),
            "cannot be reached",
            "check the network and HF_ENDPOINT"),
        refuses(
            "an unknown host",
            h -> {},
            ALL,
            s -> s.withEndpoint("http://no-such-host.invalid"),
            "http://no-such-host.invalid cannot be reached (unknown host)"),
        refusesName("../evil"),
        refusesName("a/../../evil"),
        refusesName("/evil"),
        refusesName("a//evil"),
        refusesName("./evil"),
        refusesName("..\\evil"),
        refusesName("C:evil"),
        refusesName("evil\u0000.json"),
        refusesName("evil\u202e.json"),
        refusesName("evil."),
        refusesName("e".repeat(300)));
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).map(f -> folder.relativize(f).toString()).toList();
    }
  }
}
