package dev.sortie.nn.hub;

import static dev.sortie.nn.hub.Faults.LENGTH;
import static dev.sortie.nn.hub.Faults.SIZE;
import static dev.sortie.nn.hub.Faults.WEIGHTS;
import static dev.sortie.nn.hub.Faults.firstHalf;
import static dev.sortie.nn.hub.Faults.names;
import static dev.sortie.nn.hub.Faults.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.sortie.nn.InputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * One row a misbehaviour that a pull refuses, in one line, leaving nothing that could be taken for
 * a model.
 */
@Tag("any-kernels")
class PullRefusalContractTest {
  private static final FileChoice ALL = new FileChoice.Runnable();

  @TempDir private Path temp;

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
            PullRefusalContractTest::anonymous,
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
}
