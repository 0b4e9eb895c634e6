package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What the script {@code sortie} does before and instead of starting a JVM: what does not start is
 * one line. The script runs in a folder of its own, with a program that prints its arguments and a
 * JDK that notes each start.
 */
@Timeout(60)
@EnabledOnOs(OS.LINUX)
@Tag("any-kernels")
@Tag("slow")
class LauncherScriptContractTest {
  private static final String PROGRAM =
      """
      package dev.sortie.eetuning.cli;

      public final class Main {
        public static void main(String[] args) {
          System.out.println(args[0].equals("--version") ? "sortie 0.1.0" : "ran " + args[0]);
          System.out.println("x is " + System.getProperty("x"));
        }
      }
      """;

  /** Permissions of files hold for root, too. */
  private static final String UNPRIVILEGED =
      "root".equals(System.getProperty("user.name"))
          ? "setpriv --inh-caps=-all --bounding-set=-all"
          : "";

  @TempDir private static Path shared;
  @TempDir private Path root;

  private Path jdk;

  /** What one call did. */
  private record Run(int code, List<String> out, List<String> err) {
    void assertRefused(String... parts) {
      assertThat(err).singleElement().asString().startsWith("sortie: ").contains(parts);
      assertThat(out).isEmpty();
      assertThat(code).isEqualTo(1);
    }
  }

  @BeforeAll
  static void compile() throws Exception {
    Path source = Files.writeString(shared.resolve("Main.java"), PROGRAM);
    String compiler = Path.of(System.getProperty("java.home"), "bin", "javac").toString();
    Process compiling = new ProcessBuilder(compiler, "-d", shared + "", source + "").start();
    assertThat(compiling.waitFor()).isZero();
    String name = "dev/sortie/eetuning/cli/Main.class";
    try (OutputStream file = Files.newOutputStream(shared.resolve("program.jar"));
        JarOutputStream out = new JarOutputStream(file)) {
      out.putNextEntry(new JarEntry(name));
      out.write(Files.readAllBytes(shared.resolve(name)));
    }
  }

  @BeforeEach
  void install() throws Exception {
    Path script = root.resolve("sortie");
    String text = Files.readString(Path.of("../sortie"));
    for (String others : List.of("/usr/", "/opt/", "/Library/")) { // JDKs of this machine
      text = text.replace(" " + others, " " + root + "/none" + others);
    }
    executable(script, text);
    jdk = Files.createDirectories(root.resolve("jdk/bin")).getParent();
    Path real = Path.of(System.getProperty("java.home"));
    executable(
        jdk.resolve("bin/java"),
        "#!/bin/sh\necho started >>%s\nexec %s \"$@\"\n"
            .formatted(root.resolve("starts"), real.resolve("bin/java")));
    executable(jdk.resolve("bin/javac"), "");
    release("java.base jdk.incubator.vector");
    Files.copy(
        Path.of("src/reports.awk"),
        Files.createDirectories(root.resolve("tests/src")).resolve("reports.awk"));
    Path app = Files.createDirectories(root.resolve(".sortie/eetuning.1.1"));
    Files.copy(shared.resolve("program.jar"), app.resolve("program.jar"));
    Path jvm = Files.createDirectories(root.resolve("tensor/src/main/jvm"));
    Files.createFile(jvm.resolve("kernels"));
    Files.copy(Path.of("../tensor/src/main/jvm/kernels.json"), jvm.resolve("kernels.json"));
    Path stamp = Files.writeString(root.resolve(".sortie/eetuning.stamp"), "eetuning.1.1\n");
    Files.setLastModifiedTime(stamp, FileTime.from(Instant.now().plus(Duration.ofHours(1))));
  }

  private void release(String modules) throws IOException {
    Files.writeString(
        jdk.resolve("release"), "JAVA_VERSION=\"25.0.1\"\nMODULES=\"%s\"\n".formatted(modules));
  }

  private static void executable(Path file, String text) throws IOException {
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  /** Calls the script from its folder, after some words of the shell. */
  private Run run(String before, String flags) throws Exception {
    return run(before, flags, "now");
  }

  private Run run(String before, String flags, String words) throws Exception {
    return run(before, flags, words, "");
  }

  /** The launcher is called by another program, such as {@code env}. */
  private Run run(String before, String flags, String words, String by) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder("bash", "-c", before + "exec " + by + " ./sortie " + words)
            .directory(root.toFile());
    builder.environment().put("JAVA_HOME", jdk.toString());
    builder.environment().put("PATH", "/usr/bin:/bin");
    builder.environment().put("SORTIE_JAVA_OPTS", flags);
    Path out = root.resolve("out");
    Path err = root.resolve("err");
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    int code = process.waitFor();
    return new Run(code, lines(out), lines(err));
  }

  private static List<String> lines(Path file) throws IOException {
    return Files.readString(file, StandardCharsets.UTF_8)
        .lines()
        .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
        .toList();
  }

  private long starts() throws IOException {
    try {
      return Files.readAllLines(root.resolve("starts")).size();
    } finally {
      Files.delete(root.resolve("starts"));
    }
  }

  @Test
  void oneJvmIsStarted() throws Exception {
    assertThat(run("", "").out()).containsExactly("ran now", "x is null");
    assertThat(starts()).isEqualTo(1);
  }

  /** Else the directives for its compilers would be a line on standard output. */
  @Test
  void theJvmItselfPrintsOnlyInAServerOrWhereTheUserAsksForIt() throws Exception {
    String flag = "-XX:+PrintCommandLineFlags";
    assertThat(run("", flag).out()).containsExactly("ran now", "x is null");
    assertThat(run("", flag, "serve").out())
        .hasSize(3)
        .first(STRING)
        .contains(flag)
        .doesNotContain("CompilerDirectivesFile");
    assertThat(run("", flag + " -XX:+DisplayVMOutput").out())
        .hasSize(4)
        .first(STRING)
        .contains(flag)
        .contains("CompilerDirectivesFile=" + root.resolve("tensor/src/main/jvm/kernels.json"));
  }

  @ParameterizedTest
  @CsvSource({"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"})
  void flagsOfTheEnvironmentThatTheJvmDoesNotTakeAreOneLine(String variable) throws Exception {
    run("export " + variable + "=-Xmx999999g; ", "")
        .assertRefused("with " + variable + "=\"-Xmx999999g\"", "Could not reserve");
  }

  @Test
  void aProgramRunsWithSortieOnTheClassPath() throws Exception {
    Files.writeString(
        root.resolve("Mine.java"),
        """
        void main(String[] words) {
          dev.sortie.eetuning.cli.Main.main(words);
        }
        """);
    assertThat(run("", "-Dx=1", "java Mine.java well").out()).containsExactly("ran well", "x is 1");
  }

  @Test
  void aPathOfFoldersForCdChangesNothing() throws Exception {
    String call = root.getFileName() + "/sortie now"; // without exec, which passes a whole path
    Run run = run("cd ..; export CDPATH=$PWD; " + call + "; exit; ", "");
    assertThat(run).isEqualTo(new Run(0, List.of("ran now", "x is null"), List.of()));
  }

  /** Each start tries them then, and says nothing of it. */
  @Test
  void flagsThatCannotBeRememberedAreTried() throws Exception {
    Path app = root.resolve(".sortie");
    Files.setPosixFilePermissions(app, PosixFilePermissions.fromString("r-x------"));
    try {
      Run run = run("", "-Dx=1", "now", UNPRIVILEGED);
      assertThat(run).isEqualTo(new Run(0, List.of("ran now", "x is 1"), List.of()));
    } finally {
      Files.setPosixFilePermissions(app, PosixFilePermissions.fromString("rwx------"));
    }
  }

  @Test
  void newFlagsAreTriedOnce() throws Exception {
    assertThat(run("", "-Dx=1").out()).containsExactly("ran now", "x is 1");
    assertThat(starts()).isEqualTo(2);
    assertThat(run("", "-Dx=1").out()).containsExactly("ran now", "x is 1");
    assertThat(starts()).isEqualTo(1);
    assertThat(run("", "-Dx=2").out()).containsExactly("ran now", "x is 2");
    assertThat(starts()).isEqualTo(2);
  }

  @Test
  void flagsAreNoPatternsOfFileNames() throws Exception {
    Files.createFile(root.resolve("-Dx=file"));
    assertThat(run("", "-Dx=*").out()).containsExactly("ran now", "x is *");
    run("", "*").assertRefused("SORTIE_JAVA_OPTS=\"*\"", "Could not find or load main class *");
  }

  @ParameterizedTest
  @CsvSource({
    "-Xfoo, Unrecognized option: -Xfoo",
    "-Xmx1q, Invalid maximum heap size: -Xmx1q",
    "-XX:NoSuchFlag=1, Unrecognized VM option",
    "hello, Could not find or load main class hello",
    "-XX:+UseSerialGC -XX:+UseG1GC, collector",
    "--add-modules no.such, no.such",
  })
  void flagsThatTheJvmDoesNotTakeAreOneLine(String flags, String reason) throws Exception {
    run("", flags).assertRefused("SORTIE_JAVA_OPTS=\"" + flags + "\"", reason);
  }

  /** Without a word of Sortie's this would be success. */
  @ParameterizedTest
  @CsvSource({"-version", "--help", "--list-modules", "--dry-run"})
  void flagsThatMakeTheJvmDoSomethingElseAreOneLine(String flags) throws Exception {
    run("", flags).assertRefused("the JVM does not run Sortie with SORTIE_JAVA_OPTS=\"" + flags);
  }

  @ParameterizedTest
  @CsvSource({"20000", "300000", "1000000"})
  void tooLittleAddressSpaceIsOneLine(int kib) throws Exception {
    run("ulimit -v " + kib + "; ", "")
        .assertRefused("in the " + (kib >> 10) + " MiB of address space that ulimit -v allows");
  }

  @Test
  void aJdkWithoutTheModuleThatComputesIsNamed() throws Exception {
    release("java.base java.desktop");
    run("", "").assertRefused("the JDK in " + jdk + " has no module jdk.incubator.vector");
  }

  @Test
  void aJdkThatIsTooOldIsNone() throws Exception {
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"21.0.4\"\n");
    run("", "").assertRefused("no JDK 25 or newer found");
  }

  /** As Surefire writes them: module, file, text. */
  private static final String REPORTS =
      """
      nn TEST-a.b.OldTest.xml
      <testsuite name="a.b.OldTest">
        <testcase name="old" classname="a.b.OldTest"><failure message="old" type="E"/></testcase>
      </testsuite>
      =
      tensor TEST-a.b.SumsTest-scalar.xml
      <testsuite xmlns="x" version="3" name="a.b.SumsTest(scalar)" time="1" tests="2">
        <properties><property name="java.version" value="25"/></properties>
        <testcase name="sums(int)[1]" classname="a.b.SumsTest" time="0.1">
          <failure message="&#10;[&quot;a&quot; &lt; b] &#10;expected: 3&#10; but was: 4" type="E"><![CDATA[E: no]]></failure>
          <system-out><![CDATA[<testcase name="said"><failure message="said" type="E">]]></system-out>
        </testcase>
        <testcase name="right" classname="a.b.SumsTest" time="0.1"/>
      </testsuite>
      =
      nn TEST-a.b.FileTest.xml
      <testsuite name="a.b.FileTest">
        <testcase name="reads" classname="a.b.FileTest"><error type="java.lang.X"><![CDATA[at]]></error></testcase>
        <testcase name="far" classname="a.b.FileTest"><skipped message="no device"/></testcase>
        <testcase name="away" classname="a.b.FileTest">
          <skipped type="T"><![CDATA[org.T: Assumption failed: no device
      \tat a.b]]></skipped>
        </testcase>
      </testsuite>
      """;

  /** Maven is a program that writes the reports after the first, an old one, and fails. */
  private Run tests(int code) throws Exception {
    for (String report : REPORTS.split("=\n")) {
      String[] parts = report.split("[ \n]", 3);
      Path folder = root.resolve(parts[0] + "/target/surefire-reports");
      Path file = Files.createDirectories(folder).resolve(parts[1]);
      Files.writeString(file, "<?xml version=\"1.0\"?>\n" + parts[2]);
      Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(Duration.ofHours(1))));
    }
    Path tools = Files.createDirectories(root.resolve("tools"));
    String written = root + "/*/target/surefire-reports/TEST-a.b.[FS]*.xml";
    executable(
        tools.resolve("mvn"),
        "#!/bin/sh\nsleep 0.1\ntouch %s\necho maven\nexit %d\n".formatted(written, code));
    return run("PATH=" + tools + ":$PATH; ", "", "test");
  }

  @Test
  void testsThatFailedAreListedAtTheEndAndReasonsOfThoseSkipped() throws Exception {
    Run run = tests(3);
    assertThat(run.code()).isEqualTo(3);
    assertThat(run.out().stream().map(String::strip))
        .containsExactly(
            "maven",
            "sortie: skipped tests, by reason: 2",
            "2 no device",
            "sortie: failed tests, each with its report: 2",
            "nn: FileTest.reads: java.lang.X",
            "nn/target/surefire-reports/a.b.FileTest.txt",
            "tensor, scalar: SumsTest.sums(int)[1]: [\"a\" < b] expected: 3 but was: 4",
            "tensor/target/surefire-reports/a.b.SumsTest-scalar.txt");
    assertThat(run.err()).isEmpty();
  }

  @Test
  void aRunOfMavenWithoutReportsSaysNoMore() throws Exception {
    Path tools = Files.createDirectories(root.resolve("tools"));
    executable(tools.resolve("mvn"), "#!/bin/sh\nexit 0\n");
    Run run = run("PATH=" + tools + ":$PATH; ", "", "test");
    assertThat(run).isEqualTo(new Run(0, List.of(), List.of()));
  }
}
