package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.tests.MarkdownPage.Fence;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Runs the blocks of pages as a reader runs them who stands in a checkout. Each must end with exit
 * code 0, or with that of a comment {@code # exit code N}, and print what the page says. What
 * {@code --json} prints must be one object, and what a server answers to {@code curl} must not be
 * an error.
 *
 * <p>A block that ends by starting a server in the foreground is left running, on a free port
 * instead of 8080, until {@link #stopServer}.
 */
final class PageShell implements AutoCloseable {
  private static final Pattern EXIT_CODE = Pattern.compile("# exit code (\\d)");
  private static final Pattern SERVER =
      Pattern.compile("(?m)^\\./sortie serve [^\\n]*[^&\\n]\\n\\z");

  private final Path tools;
  private final Path launcher;
  private final Path printed;
  private Process server;
  private int port;

  private PageShell(Path tools, Path launcher) throws IOException {
    this.tools = tools;
    this.launcher = launcher;
    this.printed = Files.createDirectories(tools.resolve("printed"));
    script(
        Files.createDirectories(tools.resolve("bin")).resolve("curl"),
        """
        PATH=${PATH#*:}
        out=$(mktemp "$PRINTED/curl.XXXXXX")
        code=0
        curl --fail-with-body --silent --show-error "$@" >"$out" || code=$?
        cat "$out"
        exit "$code"
        """);
  }

  /**
   * With the launcher of the checkout, which builds where sources have changed. Its commands start
   * in half the time of a plain JVM with the classes of the test.
   *
   * @param tools a folder for what the shell needs
   */
  static PageShell of(Path tools) throws IOException {
    Path launcher = Files.createDirectories(tools).resolve("sortie");
    script(
        launcher,
        """
        sortie='%s'
        case ${1:-} in
          cloud) exec "$sortie" "$@" ;;
          serve)
            [[ " $* " == *" --port "* ]] || set -- "$@" --port "$SERVER_PORT"
            exec "$sortie" "$@"
            ;;
        esac
        for word; do
          case $word in
            --) break ;;
            --json)
              out=$(mktemp "$PRINTED/$1.XXXXXX")
              code=0
              "$sortie" "$@" >"$out" || code=$?
              cat "$out"
              # of a job, rank 0 alone prints
              if [ ! -s "$out" ] && { [ "$code" != 0 ] || [ "${RANK:-0}" != 0 ]; }; then rm "$out"; fi
              exit "$code"
              ;;
          esac
        done
        exec "$sortie" "$@"
        """
            .formatted(MarkdownPage.ROOT.resolve("sortie")));
    return new PageShell(tools, launcher);
  }

  private static void script(Path file, String text) throws IOException {
    Files.writeString(file, "#!/usr/bin/env bash\n" + text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  private static String quoted(List<String> words) {
    return words.stream()
        .map(word -> "'" + word.replace("'", "'\\''") + "'")
        .collect(Collectors.joining(" "));
  }

  /** Makes a folder with what the pages use of a checkout. */
  Path checkout(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.createSymbolicLink(folder.resolve("sortie"), launcher);
    Path examples = MarkdownPage.ROOT.resolve("examples");
    Files.createSymbolicLink(folder.resolve("examples"), examples);
    return folder;
  }

  /** Runs a block of commands or a program, or skips the test if a need of it is not met. */
  void run(Fence fence, Path folder) throws Exception {
    if (fence.language().equals("java")) {
      Path file = Files.writeString(folder.resolve("Program.java"), fence.text());
      String out = runToEnd(fence, quoted(TestPrograms.command(file.toString())), folder);
      assertThat(out).as(fence.toString()).isNotBlank();
      return;
    }
    for (Need need : Need.of(fence)) {
      need.assumeMet(folder);
    }
    if (startsServer(fence)) {
      startServer(fence, folder);
    } else {
      runToEnd(fence, fence.text(), folder);
    }
  }

  private String runToEnd(Fence fence, String commands, Path folder) throws Exception {
    Process process = start(commands, folder);
    if (!process.waitFor(10, TimeUnit.MINUTES)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
    }
    Matcher code = EXIT_CODE.matcher(fence.text());
    String out = Files.readString(out());
    assertThat(process.exitValue())
        .as("%s%n%s%s", fence, out, Files.readString(err()))
        .isEqualTo(code.find() ? Integer.parseInt(code.group(1)) : 0);
    if (fence.output().isPresent()) {
      assertThat(out).as(fence.toString()).matches(pattern(fence.output().get()));
    }
    assertPrintedJson(fence);
    return out;
  }

  private Process start(String commands, Path folder) throws IOException {
    ProcessBuilder shell =
        new ProcessBuilder(
                "bash", "-c", "set -eo pipefail\n" + commands.replace(":8080", ":" + port))
            .directory(folder.toFile())
            .redirectOutput(out().toFile())
            .redirectError(err().toFile());
    Path java = Path.of(System.getProperty("java.home"));
    String first = tools.resolve("bin") + ":" + java.resolve("bin");
    shell.environment().merge("PATH", first, (path, before) -> before + ":" + path);
    shell.environment().put("JAVA_HOME", java.toString());
    shell.environment().put("XDG_CACHE_HOME", tools.resolve("cache").toString());
    shell.environment().put("PRINTED", printed.toString());
    shell.environment().put("SERVER_PORT", Integer.toString(port));
    Process process = shell.start();
    process.getOutputStream().close();
    return process;
  }

  private Path out() {
    return tools.resolve("standard-output");
  }

  private Path err() {
    return tools.resolve("standard-error");
  }

  /** {@code …} stands for anything within a line, and alone on a line for any lines. */
  private static Pattern pattern(String page) {
    String pattern =
        page.lines()
            .map(
                line ->
                    line.equals("…")
                        ? "(?:.*\\n)*?"
                        : Stream.of(line.split("…", -1))
                                .map(Pattern::quote)
                                .collect(Collectors.joining(".*"))
                            + "\\n")
            .collect(Collectors.joining());
    return Pattern.compile(pattern);
  }

  /** Strict: UTF-8, no field twice, nothing after an object but its line's end. */
  private void assertPrintedJson(Fence fence) throws IOException {
    for (Path file : printed()) {
      byte[] bytes = Files.readAllBytes(file);
      Files.delete(file);
      String origin = fence + ": " + file.getFileName();
      String text = new String(Json.utf8(origin, bytes));
      if (!file.getFileName().toString().startsWith("curl.")) {
        assertThat(text).as(origin).endsWith("\n");
        List<String> lines = text.lines().toList();
        if (!file.getFileName().toString().startsWith("chat.")) { // a line for each answer
          assertThat(lines).as(origin).hasSize(1);
        }
        assertThat(lines).isNotEmpty().allSatisfy(line -> assertObject(origin, line));
      } else if (text.startsWith("{")) {
        assertObject(origin, text);
      }
    }
  }

  private List<Path> printed() throws IOException {
    try (Stream<Path> files = Files.list(printed)) {
      return files.toList();
    }
  }

  private static void assertObject(String origin, String text) {
    assertThat(Json.parse(origin, text, JsonLimits.DATA).fields()).as(origin).isNotEmpty();
  }

  static boolean startsServer(Fence fence) {
    return SERVER.matcher(fence.text()).find();
  }

  private void startServer(Fence fence, Path folder) throws Exception {
    stopServer();
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    // with a further command, the shell waits for the server and does not become it
    server = start(fence.text() + "exit\n", folder);
    URL ready = URI.create("http://127.0.0.1:" + port + "/readyz").toURL();
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
    while (!answers(ready)) {
      assertThat(server.isAlive()).as("%s%n%s", fence, Files.readString(err())).isTrue();
      assertThat(System.nanoTime()).as("%s is not ready", fence).isLessThan(end);
      Thread.sleep(100);
    }
  }

  private static boolean answers(URL address) {
    try {
      return ((HttpURLConnection) address.openConnection()).getResponseCode() == 200;
    } catch (IOException e) {
      return false; // nobody listens yet
    }
  }

  /** Stops the server of the page as Ctrl-C does, if there is one; it must end with code 0. */
  void stopServer() throws InterruptedException {
    if (server == null) {
      return;
    }
    Process stopped = server;
    server = null;
    stopped.descendants().forEach(ProcessHandle::destroy);
    assertThat(stopped.waitFor(2, TimeUnit.MINUTES)).as("the server ends").isTrue();
    assertThat(stopped.exitValue()).isZero();
  }

  @Override
  public void close() {
    if (server != null) {
      server.descendants().forEach(ProcessHandle::destroyForcibly);
      server.destroyForcibly();
    }
  }
}
