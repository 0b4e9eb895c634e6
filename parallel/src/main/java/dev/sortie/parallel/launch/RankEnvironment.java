package dev.sortie.parallel.launch;

import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.transport.tcp.LinkKeys;
import dev.sortie.parallel.comm.transport.tcp.Tls;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Who this process is among the ranks of a job, as its launcher says.
 *
 * @param source the launcher or scheduler, or the variables that told
 * @param rank of this process
 * @param world number of ranks
 * @param localWorld number of ranks on this machine, where it is known
 * @param launcher process of {@code sortie launch}, if it has started this one
 * @param job what is the same for all ranks
 */
public record RankEnvironment(
    String source, int rank, int world, OptionalInt localWorld, OptionalLong launcher, Job job) {

  /**
   * What all ranks of a job have in common.
   *
   * @param master where rank 0 listens, unresolved
   * @param generation number of this start of the job
   * @param token the secret that all ranks share
   * @param tls for all connections over TCP, if the environment asks for it
   */
  public record Job(InetSocketAddress master, int generation, String token, Optional<Tls> tls) {
    /** Without the secret. */
    @Override
    public String toString() {
      return "rank 0 at %s, start %d".formatted(master, generation);
    }
  }

  /** The variable that holds the secret. */
  public static final String TOKEN = "SORTIE_JOB_TOKEN";

  /** The variable that counts restarts; torchrun's is recognised too. */
  public static final String GENERATION = "SORTIE_RESTART_COUNT";

  /** The variable with the number of the launcher's process. */
  public static final String LAUNCHER = "SORTIE_LAUNCHER_PID";

  private static final String TORCH_GENERATION = "TORCHELASTIC_RESTART_COUNT";
  private static final String WORLD = "WORLD_SIZE";
  private static final String MASTER = "MASTER_ADDR";
  private static final String PORT = "MASTER_PORT";
  private static final int SHORTEST_TOKEN = 16;

  /**
   * Whether a launcher has started this process as a rank; a scheduler may have started it as
   * something else. An empty variable says nothing.
   */
  public static boolean isLaunched(Map<String, String> environment) {
    Variables variables = new Variables(environment);
    return LauncherVariables.ALL.stream().anyMatch(s -> s.launcher() && variables.has(s.rank()));
  }

  /**
   * Reads the environment.
   *
   * @throws InputException if it says nothing, contradicts itself, or lacks something
   */
  public static RankEnvironment read(Map<String, String> environment) {
    Variables variables = new Variables(environment);
    List<LauncherVariables> there =
        LauncherVariables.ALL.stream().filter(s -> variables.has(s.rank())).toList();
    boolean launched = there.stream().anyMatch(LauncherVariables::launcher);
    List<LauncherVariables> speaking =
        there.stream().filter(s -> s.launcher() || !launched).toList();
    if (speaking.isEmpty()) {
      throw new InputException(
          "this process is no rank of a job: none of "
              + LauncherVariables.ALL.stream().map(LauncherVariables::rank).toList()
              + " is set; start it by sortie launch, or set RANK, WORLD_SIZE, MASTER_ADDR and"
              + " MASTER_PORT");
    }
    int rank = agreed(variables, speaking.stream().map(LauncherVariables::rank).toList(), "rank");
    List<String> worlds =
        speaking.stream().map(LauncherVariables::world).filter(variables::has).distinct().toList();
    int world = agreed(variables, worlds.isEmpty() ? List.of(WORLD) : worlds, "world size");
    if (world < 1 || rank < 0 || rank >= world) {
      throw new InputException(
          "according to %s this is rank %d of %d; ranks count from 0 and end before the world size"
              .formatted(speaking.getFirst().name(), rank, world));
    }
    return new RankEnvironment(
        speaking.getFirst().name(),
        rank,
        world,
        localWorld(variables, speaking, world),
        variables.has(LAUNCHER)
            ? OptionalLong.of(variables.number(LAUNCHER))
            : OptionalLong.empty(),
        new Job(
            master(variables, world),
            generation(variables),
            world > 1 ? token(variables, "on all ranks") : given(variables),
            Tls.read(environment)));
  }

  /**
   * What two processes that are no ranks prove to each other: the secret and the certificates that
   * the ranks of a job have.
   *
   * @throws InputException if there is no secret, or TLS is half given
   */
  public static LinkKeys linkKeys(Map<String, String> environment) {
    String secret = token(new Variables(environment), "on both sides");
    return new LinkKeys(secret.getBytes(StandardCharsets.UTF_8), Tls.read(environment));
  }

  /** The value of several variables, which must be the same in all. */
  private static int agreed(Variables variables, List<String> names, String what) {
    int first = variables.number(names.getFirst());
    for (String name : names) {
      if (variables.number(name) != first) {
        throw new InputException(
            "the environment contradicts itself about this process's %s: %s=%d, but %s=%d; unset one"
                .formatted(what, names.getFirst(), first, name, variables.number(name)));
      }
    }
    return first;
  }

  private static OptionalInt localWorld(
      Variables variables, List<LauncherVariables> speaking, int world) {
    for (LauncherVariables scheme : speaking) {
      if (variables.has(scheme.localWorld())) {
        int local = variables.number(scheme.localWorld());
        if (local < 1 || local > world) {
          throw new InputException(
              "%s=%d does not fit a job of %d ranks".formatted(scheme.localWorld(), local, world));
        }
        return OptionalInt.of(local);
      }
    }
    return OptionalInt.empty();
  }

  private static InetSocketAddress master(Variables variables, int world) {
    if (world == 1) {
      return InetSocketAddress.createUnresolved("localhost", 0);
    }
    String host;
    if (variables.has(MASTER)) {
      host = variables.text(MASTER);
    } else if (variables.has("SLURM_JOB_NODELIST")) {
      host = HostList.first(variables.text("SLURM_JOB_NODELIST"));
    } else {
      throw new InputException(
          MASTER + " is not set; set it on all ranks to the machine where rank 0 runs");
    }
    if (!variables.has(PORT)) {
      throw new InputException(PORT + " is not set; set it on all ranks to a free port of " + host);
    }
    int port = variables.number(PORT);
    if (port < 1 || port > 65535) {
      throw new InputException(PORT + "=" + port + " is no port; take one from 1 to 65535");
    }
    return InetSocketAddress.createUnresolved(host, port);
  }

  private static int generation(Variables variables) {
    if (variables.has(GENERATION)) {
      return variables.number(GENERATION);
    }
    return variables.has(TORCH_GENERATION) ? variables.number(TORCH_GENERATION) : 0;
  }

  private static String given(Variables variables) {
    return variables.has(TOKEN) ? variables.text(TOKEN) : "";
  }

  /** The secret of a job of several processes, which is set {@code where}. */
  private static String token(Variables variables, String where) {
    String token = given(variables);
    if (token.length() < SHORTEST_TOKEN) {
      throw new InputException(
          "%s has %d characters; set it %s to one generated secret of at least %d, such as openssl rand -hex 32 prints"
              .formatted(TOKEN, token.length(), where, SHORTEST_TOKEN));
    }
    return token;
  }

  private record Variables(Map<String, String> environment) {
    boolean has(String name) {
      return !name.isEmpty() && !environment.getOrDefault(name, "").isBlank();
    }

    String text(String name) {
      return environment.get(name).strip();
    }

    int number(String name) {
      if (!has(name)) {
        throw new InputException(name + " is not set; set it on all ranks");
      }
      try {
        return Integer.parseInt(text(name));
      } catch (NumberFormatException e) {
        throw new InputException(name + "=" + text(name) + " is no whole number", e);
      }
    }
  }

  @Override
  public String toString() {
    return "rank %d of %d (%s), %s".formatted(rank, world, source, job);
  }
}
