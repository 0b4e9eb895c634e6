package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the script {@code sortie} prepares at the first start of a package, also where that is
 * interrupted or two want to do it. Java is a script that writes the files and prints its
 * arguments.
 */
@Timeout(60)
@EnabledOnOs(OS.LINUX)
@Tag("any-kernels")
@Tag("slow")
class LauncherPreparationContractTest {
  /** Reads a file {@code hook} first, which may do something else at a {@code $step}. */
  private static final String JAVA =
      """
      #!/bin/bash
      step=run
      for word; do
        case $word in
          -XX:AOTMode=*) step=${word#*=} ;;
          -XX:AOTCache=*) cache=${word#*=} ;;
          -Xlog:compilation*) step=list ;;
          *.BootClasses) step=boot ;;
        esac
      done
      . "${0%/*}/hook"
      case $step in
        list) echo EnableVectorSupport=true ;;
        boot) echo classes >"$word" ;;
        create) echo linked >"$cache" ;;
        run) echo "ran $*" ;;
      esac
      """;

  /** Permissions of files hold for root, too, who may not even send signals to others. */
  private static final String UNPRIVILEGED =
      isRoot() ? "setpriv --inh-caps=-all --bounding-set=-all " : "";

  private static final String PREPARING = "sortie: preparing the first start…";

  @TempDir private Path root;

  private record Run(int code, String out, List<String> err) {
    void assertPrepares() {
      assertRuns();
      assertThat(err).containsExactly(PREPARING);
    }

    /** With what was prepared before. */
    void assertPrepared() {
      assertRuns();
      assertThat(err).isEmpty();
    }

    private void assertRuns() {
      assertThat(out).startsWith("ran ").contains("-XX:AOTCache=", "-Xbootclasspath/a:");
      assertThat(code).isZero();
    }
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  @BeforeEach
  void unpack() throws IOException {
    Files.copy(Path.of("../sortie"), root.resolve("sortie"));
    Path java = Files.createDirectories(root.resolve("runtime/bin")).resolve("java");
    Files.writeString(java, JAVA);
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwx------"));
    hook("");
    Files.writeString(
        root.resolve("runtime/release"), "JAVA_VERSION=\"25\"\nMODULES=\"jdk.incubator.vector\"\n");
    Files.writeString(
        Files.createDirectory(root.resolve("lib")).resolve("id"), "0123456789abcdef\n");
  }

  private void hook(String commands) throws IOException {
    Files.writeString(root.resolve("runtime/bin/hook"), commands);
  }

  private Process start(String command) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder("bash", "-c", command)
            .directory(root.toFile())
            .redirectOutput(root.resolve("out").toFile())
            .redirectError(root.resolve("err").toFile());
    builder.environment().clear();
    builder.environment().put("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    builder.environment().put("HOME", root.resolve("home").toString());
    return builder.start();
  }

  private Run run(String command) throws Exception {
    return ended(start(command));
  }

  private Run ended(Process process) throws Exception {
    int code = process.waitFor();
    return new Run(code, said("out"), said("err").lines().toList());
  }

  private String said(String stream) throws IOException {
    return Files.readString(root.resolve(stream));
  }

  private List<String> cache() throws IOException {
    try (Stream<Path> files = Files.list(root.resolve("cache"))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void whatTheFirstStartPreparesIsUsedByLaterOnes() throws Exception {
    run("./sortie now").assertPrepares();
    run("./sortie now").assertPrepared();
    assertThat(cache())
        .hasSize(4)
        .anyMatch(name -> name.matches("boot-.*\\.zip"))
        .anyMatch(name -> name.matches("boot-.*\\.zip\\.flags"))
        .anyMatch(name -> name.matches("start-.*\\.aot"))
        .contains("prepare.log");
  }

  /**
   * A cache of other jars is refused by the JVM, but their classes for the boot class path are not.
   */
  @Test
  void whatWasPreparedForOtherJarsIsNotUsed() throws Exception {
    run("./sortie now").assertPrepares();
    Files.writeString(root.resolve("lib/id"), "fedcba9876543210\n");
    run("./sortie now").assertPrepares();
    run("./sortie now").assertPrepared();
  }

  @Test
  void aPackageWithoutItsHashIsIncomplete() throws Exception {
    Files.delete(root.resolve("lib/id"));
    assertThat(run("./sortie now").err())
        .containsExactly(
            "sortie: the package in %s is incomplete: there is no %s; unpack it again"
                .formatted(root, root.resolve("lib/id")));
  }

  /** As in a container, whose program always has the number 1. */
  @Test
  void aLockOfAnEarlierProcessWithTheSameNumberIsTakenOver() throws Exception {
    Files.createDirectories(root.resolve("cache/lock"));
    run("echo $$ >cache/lock/pid; exec ./sortie now").assertPrepares();
  }

  @Test
  void aLockOfAnotherUserIsWaitedForAndTheWaitIsExplained() throws Exception {
    Path lock = Files.createDirectories(root.resolve("cache/lock"));
    Process other = start(isRoot() ? "exec setpriv --reuid=65534 sleep 60" : "exec sleep 60");
    try {
      Files.writeString(lock.resolve("pid"), other.pid() + "\n");
      Process waiting = start("exec " + UNPRIVILEGED + "./sortie now");
      while (waiting.isAlive() && said("err").isEmpty()) {
        Thread.sleep(50);
      }
      assertThat(said("err"))
          .isEqualTo(
              "sortie: waiting for process %d; if that is not Sortie, remove %s%n"
                  .formatted(other.pid(), lock));
      assertThat(waiting.isAlive()).isTrue();
      other.destroyForcibly().waitFor();
      Run run = ended(waiting);
      run.assertRuns();
      assertThat(run.err()).hasSize(2).last().isEqualTo(PREPARING);
    } finally {
      other.destroyForcibly();
    }
  }

  /** A JVM that gets the signal ends with a code, as here. */
  @ParameterizedTest
  @ValueSource(strings = {"boot", "record", "create"})
  void ctrlCEndsTheStartAndTheNextOnePrepares(String step) throws Exception {
    hook(
        """
        if [ $step = %s ]; then
          echo part >"${cache:-$word}"
          trap 'exit 130' INT
          kill -INT 0
        fi
        """
            .formatted(step));
    Run run = run("exec env --default-signal=INT setsid --wait ./sortie now");
    assertThat(run).isEqualTo(new Run(130, "", List.of(PREPARING)));
    assertThat(cache())
        .doesNotContain("lock")
        .noneMatch(name -> name.startsWith("start") || name.matches("prepare\\.\\d+"));
    hook("");
    run("./sortie now").assertPrepares();
    run("./sortie now").assertPrepared();
  }

  @Test
  void ofAProcessThatWasKilledNothingIsUsed() throws Exception {
    hook("[ $step != create ] || { echo part >$cache; kill -KILL 0; }");
    assertThat(run("setsid --wait ./sortie now").code()).isEqualTo(128 + 9);
    hook("");
    run("./sortie now").assertPrepares();
    run("./sortie now").assertPrepared();
    assertThat(cache()).hasSize(4);
  }

  /** Which may be for want of memory, for the moment. */
  @Test
  void aJvmThatWasKilledIsTriedAgainAtTheNextStart() throws Exception {
    hook("[ $step != create ] || kill -KILL $$");
    for (int i = 0; i < 2; i++) {
      Run run = run("./sortie now");
      assertThat(run.code()).isZero();
      assertThat(run.out()).startsWith("ran ").doesNotContain("AOTCache", "bootclasspath");
      assertThat(run.err()).first().isEqualTo(PREPARING);
    }
  }

  @Test
  void whatCannotBePreparedIsTriedOnce() throws Exception {
    hook("[ $step != create ] || exit 1");
    Run first = run("./sortie now");
    assertThat(first.err()).containsExactly(PREPARING);
    assertThat(first.out()).startsWith("ran ").doesNotContain("AOTCache", "bootclasspath");
    assertThat(run("./sortie now")).isEqualTo(new Run(0, first.out(), List.of()));
  }

  @Test
  void flagsOfOneRunAreNotPrepared() throws Exception {
    hook("[ $step = run ] || env >>\"${0%/*}/$step\"; [ $step != record ] || echo $* >words");
    String names = "SORTIE_JAVA_OPTS JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS";
    run(
        "for name in %s; do export $name=-Dmine=1; done; SORTIE_KERNELS=mine ./sortie --version"
            .formatted(names));
    for (String step : List.of("list", "boot", "record", "create")) {
      assertThat(root.resolve("runtime/bin").resolve(step)).content().doesNotContain("mine");
    }
    assertThat(root.resolve("words")).content().doesNotContain("mine");
  }

  /** As in an image for containers. */
  @Test
  void whatAReadOnlyPackageHasIsUsedThere() throws Exception {
    String command = "exec " + UNPRIVILEGED + "./sortie now";
    run(command).assertPrepares();
    permit("r-x------");
    try {
      run(command).assertPrepared();
    } finally {
      permit("rwx------");
    }
    assertThat(root.resolve("home/.cache/sortie/package")).isEmptyDirectory();
  }

  @Test
  void whatAReadOnlyPackageLacksIsPreparedInTheCacheOfTheUser() throws Exception {
    Files.createDirectory(root.resolve("cache"));
    permit("r-x------");
    try {
      for (int i = 0; i < 2; i++) {
        Run run = run("exec " + UNPRIVILEGED + "./sortie now");
        run.assertRuns();
        assertThat(run.err()).hasSize(1 - i);
        assertThat(run.out()).contains("AOTCache=" + root.resolve("home/.cache/sortie/package"));
      }
    } finally {
      permit("rwx------");
    }
    assertThat(cache()).isEmpty();
  }

  private void permit(String permissions) throws IOException {
    Files.setPosixFilePermissions(
        root.resolve("cache"), PosixFilePermissions.fromString(permissions));
  }
}
