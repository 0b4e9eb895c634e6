package dev.sortie.nn.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Wrong answers that several tests give, and what a pull may leave. */
final class Faults {
  static final String WEIGHTS = "/blob/model.safetensors";
  static final int SIZE = 200_000;
  static final String LENGTH = Integer.toString(SIZE);

  private Faults() {}

  /** An answer without a body; names and values of headers alternate. */
  static RawServer.Answerer status(int status, String... headers) {
    String[] all = Arrays.copyOf(headers, headers.length + 2);
    all[headers.length] = "content-length";
    all[headers.length + 1] = "0";
    return (r, s) -> RawServer.head(s, status, all);
  }

  /** The first half of the weights, and then the connection is closed. */
  static RawServer.Answerer firstHalf(FakeHub hub) {
    return (r, s) -> {
      RawServer.head(s, 200, "content-length", LENGTH);
      RawServer.body(s, hub.file("model.safetensors"), 0, SIZE / 2);
    };
  }

  /** All files under a folder. */
  static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).map(f -> folder.relativize(f).toString()).toList();
    }
  }
}
