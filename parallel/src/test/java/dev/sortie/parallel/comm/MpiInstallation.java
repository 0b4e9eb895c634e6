package dev.sortie.parallel.comm;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** An MPI on this machine, by the folder that has its {@code bin}. */
record MpiInstallation(Path prefix) {
  private static final String VARIABLE = "SORTIE_MPI";

  /** What a job printed, both streams together, and its exit code. */
  record Outcome(int code, String output) {}

  static List<MpiInstallation> all() {
    Set<Path> prefixes = new LinkedHashSet<>();
    for (String named : System.getenv().getOrDefault(VARIABLE, "").split(File.pathSeparator)) {
      if (!named.isBlank()) {
        prefixes.add(Path.of(named));
      }
    }
    for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
      Path launcher = Path.of(folder, "mpirun");
      if (Files.isExecutable(launcher)) {
        prefixes.add(real(launcher.getParent()).getParent());
      }
    }
    return prefixes.stream().map(MpiInstallation::new).toList();
  }

  /** On many systems {@code /bin} is another name of {@code /usr/bin}. */
  private static Path real(Path folder) {
    try {
      return folder.toRealPath();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Path launcher() {
    return prefix.resolve("bin").resolve("mpirun");
  }

  /** This process's variables, with this installation first on the path. */
  Map<String, String> environment() {
    Map<String, String> environment = new LinkedHashMap<>(System.getenv());
    environment.merge(
        "PATH", "", (path, none) -> prefix.resolve("bin") + File.pathSeparator + path);
    environment.put("OMPI_ALLOW_RUN_AS_ROOT", "1");
    environment.put("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    // More ranks than cores, as the two versions of Open MPI spell it.
    environment.put("OMPI_MCA_rmaps_base_oversubscribe", "1");
    environment.put("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe");
    return environment;
  }

  /** Runs a class of the tests as the ranks of a job. */
  Outcome run(int ranks, Class<?> main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.addAll(List.of(launcher().toString(), "-n", String.valueOf(ranks)));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--add-modules", "jdk.incubator.vector", "-XX:+UseSerialGC"));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-cp", Processes.classPath(), main.getName()));
    command.addAll(List.of(arguments));
    return outcome(command, environment());
  }

  /** Runs a command to its end, a minute and a half at most. */
  static Outcome outcome(List<String> command, Map<String, String> environment) {
    try {
      return toTheEnd(command, environment);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static Outcome toTheEnd(List<String> command, Map<String, String> environment)
      throws IOException, InterruptedException {
    Path log = Files.createTempFile("sortie-mpi", ".log");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    boolean ended = process.waitFor(90, TimeUnit.SECONDS);
    if (!ended) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
    }
    String output = Files.readString(log, StandardCharsets.ISO_8859_1);
    Files.delete(log);
    return new Outcome(ended ? process.exitValue() : -1, output);
  }
}
