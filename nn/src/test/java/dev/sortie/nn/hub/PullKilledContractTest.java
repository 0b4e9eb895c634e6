package dev.sortie.nn.hub;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import dev.sortie.tensor.dtype.DType;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pull that is killed without warning resumes. */
@Tag("any-kernels")
class PullKilledContractTest {
  private static final int SIZE = 200_000;

  @TempDir private Path cache;

  @Test
  void aKilledPullIsResumedAndItsLockIsFree() throws IOException, InterruptedException {
    try (FakeHub hub = new FakeHub()) {
      hub.fault(
          "GET",
          "/blob/model.safetensors",
          1,
          (r, s) -> {
            RawServer.head(s, 200, "content-length", Integer.toString(SIZE));
            RawServer.body(s, hub.file("model.safetensors"), 0, SIZE / 2);
            PullContractTest.sleep(20_000); // until the reader is dead
          });
      Path partial =
          cache.resolve(
              "models--acme--tiny-1.0/blobs/%s.sortie.incomplete"
                  .formatted(hub.etag("model.safetensors")));
      Process process = start(hub.hub.url());
      try {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!Files.exists(partial) || Files.size(partial) < SIZE / 2) {
          assertThat(process.isAlive()).as("the pull still runs").isTrue();
          assertThat(System.nanoTime()).as("time until half had come").isLessThan(deadline);
          Thread.sleep(10);
        }
      } finally {
        process.destroyForcibly().waitFor();
      }
      assertThat(cache.resolve("models--acme--tiny-1.0/snapshots")).doesNotExist();

      Pull.Result result =
          new Pull(hub.settings(cache), PullListener.NONE)
              .run(FakeHub.REPO, "main", new FileChoice.Runnable());

      assertThat(hub.store.seen().getLast().header("range")).isEqualTo("bytes=100000-");
      assertThat(result.downloaded()).isEqualTo(SIZE / 2);
      assertThat(result.snapshot().resolve("model.safetensors"))
          .hasBinaryContent(hub.file("model.safetensors"));
      assertThat(partial).doesNotExist();
    }
  }

  private Process start(String endpoint) throws IOException {
    String classPath =
        Stream.of(Pull.class, PullRun.class, DType.class, JsonFactory.class, IntArrayList.class)
            .map(PullKilledContractTest::place)
            .map(Path::toString)
            .collect(Collectors.joining(File.pathSeparator));
    return new ProcessBuilder(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPath,
                PullRun.class.getName(),
                endpoint,
                cache.toString()))
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** The folder or jar that a class was read from; a test is patched into its module. */
  private static Path place(Class<?> type) {
    String resource = "/" + type.getName().replace('.', '/') + ".class";
    String url = type.getResource(resource).toString();
    return Path.of(
        URI.create(url.substring(0, url.length() - resource.length()).replaceAll("^jar:|!$", "")));
  }
}
