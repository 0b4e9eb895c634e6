package dev.sortie.parallel.comm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.comm.transport.shm.ThreadTransport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two hosts as network namespaces with a slow cable between them, two ranks on each. */
@Timeout(90)
@Tag("any-kernels")
class TwoHostsTest {
  private static final int WORLD = 4;
  private static final String PORT = "29555";

  @TempDir Path folder;
  private final String one = "sortie1-" + ProcessHandle.current().pid();
  private final String other = "sortie2-" + ProcessHandle.current().pid();
  private final List<Process> ranks = new ArrayList<>();

  @BeforeEach
  void connectTwoHosts() throws Exception {
    String said = tryTo("ip netns add " + one);
    assumeTrue(said.isEmpty(), () -> "network namespaces cannot be made here: " + said);
    need("ip netns add " + other);
    need("ip -n %s link add cable type veth peer name cable netns %s".formatted(one, other));
    for (String host : List.of(one, other)) {
      need("ip -n %s addr add 10.231.77.%d/24 dev cable".formatted(host, host == one ? 1 : 2));
      need("ip -n %s link set cable up".formatted(host));
      need("ip -n %s link set lo up".formatted(host));
      String slow = "tc -n %s qdisc add dev cable root tbf rate 300mbit burst 128kb latency 50ms";
      String refused = tryTo(slow.formatted(host));
      assumeTrue(refused.isEmpty(), () -> "the cable cannot be slowed down: " + refused);
    }
  }

  private static void need(String command) throws Exception {
    assertThat(tryTo(command)).as(command).isEmpty();
  }

  /** What the command says if it fails. */
  private static String tryTo(String command) throws Exception {
    try {
      Process process = new ProcessBuilder(command.split(" ")).redirectErrorStream(true).start();
      String said =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return process.waitFor() == 0 ? "" : said + " (exit code " + process.exitValue() + ")";
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @AfterEach
  void takeAllAway() throws Exception {
    for (Process rank : ranks) {
      rank.destroyForcibly().waitFor();
    }
    tryTo("ip netns del " + one);
    tryTo("ip netns del " + other);
  }

  @Test
  void ranksOnTwoHostsGetTheBitsThatThreadsGet() throws Exception {
    List<Transport> threads = ThreadTransport.world(WORLD);
    List<String> expected = new CopyOnWriteArrayList<>();
    Job.run(
        WORLD,
        threads::get,
        CommOptions.defaults(),
        c -> expected.add(LeftFold.digest(c) + " over shared memory and TCP"));
    List<Processes.Running> running = new ArrayList<>();
    for (int rank = 0; rank < WORLD; rank++) {
      String host = rank < WORLD / 2 ? one : other;
      List<String> command = new ArrayList<>(List.of("ip", "netns", "exec", host));
      command.addAll(Processes.command(HostRank.class));
      command.addAll(List.of("10.231.77.1", PORT, rank + "", WORLD + "", host, folder.toString()));
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      ranks.add(process);
      running.add(new Processes.Running(process, process.inputReader()));
    }
    for (Processes.Running rank : running) {
      assertThat(rank.lastLine(Duration.ofSeconds(60))).isEqualTo(expected.getFirst());
    }
  }
}
