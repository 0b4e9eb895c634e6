package dev.sortie.parallel.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.transport.Transport;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("any-kernels")
class RankEnvironmentContractTest {
  private static final Map<String, String> MEETING =
      Map.of(
          "MASTER_ADDR", "10.0.0.7", "MASTER_PORT", "4000", "SORTIE_JOB_TOKEN", "0123456789abcdef");

  private static Map<String, String> with(String... pairs) {
    Map<String, String> environment = new HashMap<>(MEETING);
    for (int i = 0; i < pairs.length; i += 2) {
      environment.put(pairs[i], pairs[i + 1]);
    }
    return environment;
  }

  private static RankEnvironment read(String... pairs) {
    return RankEnvironment.read(with(pairs));
  }

  @Test
  void torchrunsVariablesAreRead() {
    RankEnvironment e =
        read(
            "RANK", "3",
            "WORLD_SIZE", "8",
            "LOCAL_RANK", "1",
            "LOCAL_WORLD_SIZE", "2",
            "TORCHELASTIC_RESTART_COUNT", "5");
    assertThat(e.rank()).isEqualTo(3);
    assertThat(e.world()).isEqualTo(8);
    assertThat(e.localWorld()).hasValue(2);
    assertThat(e.job().generation()).isEqualTo(5);
    assertThat(e.job().master().getHostString()).isEqualTo("10.0.0.7");
    assertThat(e.job().master().getPort()).isEqualTo(4000);
    assertThat(e.toString()).contains("RANK and WORLD_SIZE").doesNotContain("0123456789abcdef");
  }

  @Test
  void openMpiPmiSlurmAndKubernetesAreRecognised() {
    assertThat(
            read(
                "OMPI_COMM_WORLD_RANK", "1",
                "OMPI_COMM_WORLD_SIZE", "4",
                "OMPI_COMM_WORLD_LOCAL_SIZE", "4",
                "PMIX_RANK", "1"))
        .matches(e -> e.rank() == 1 && e.world() == 4 && e.localWorld().getAsInt() == 4);
    assertThat(read("PMI_RANK", "2", "PMI_SIZE", "3"))
        .matches(e -> e.rank() == 2 && e.world() == 3);
    assertThat(read("PMIX_RANK", "2", "WORLD_SIZE", "3"))
        .matches(e -> e.rank() == 2 && e.world() == 3);
    assertThat(read("SLURM_PROCID", "5", "SLURM_NTASKS", "6", "SLURM_LOCALID", "1"))
        .matches(e -> e.rank() == 5 && e.world() == 6 && e.localWorld().isEmpty());
    assertThat(read("JOB_COMPLETION_INDEX", "0", "WORLD_SIZE", "2"))
        .matches(e -> e.source().equals("Kubernetes") && e.world() == 2);
  }

  @Test
  void aSchedulerAroundALauncherIsNotAsked() {
    RankEnvironment e =
        read(
            "SLURM_PROCID", "0",
            "SLURM_NTASKS", "1",
            "OMPI_COMM_WORLD_RANK", "3",
            "OMPI_COMM_WORLD_SIZE", "4");
    assertThat(e.rank()).isEqualTo(3);
    assertThat(e.source()).isEqualTo("Open MPI");
  }

  @Test
  void whoWasLaunchedHasARank() {
    assertThat(RankEnvironment.isLaunched(with("RANK", "0"))).isTrue();
    assertThat(RankEnvironment.isLaunched(with("PMIX_RANK", "0"))).isTrue();
    assertThat(RankEnvironment.isLaunched(with("RANK", "", "PMI_RANK", " "))).isFalse();
    assertThat(RankEnvironment.isLaunched(with("SLURM_PROCID", "0"))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "tcp"})
  void oneRankMeetsNobodyAndNeedsNoSecret(String transport) {
    Map<String, String> job = Map.of("RANK", "0", "WORLD_SIZE", "1", Ranks.TRANSPORT, transport);
    try (Transport alone = Ranks.join(job)) {
      assertThat(alone.world()).isEqualTo(1);
    }
  }

  @Test
  void slurmsFirstHostIsTheMasterWhereNoneIsNamed() {
    Map<String, String> environment = with("SLURM_PROCID", "0", "SLURM_NTASKS", "2");
    environment.remove("MASTER_ADDR");
    environment.put("SLURM_JOB_NODELIST", "gpu[03-07,12],login1");
    assertThat(RankEnvironment.read(environment).job().master().getHostString()).isEqualTo("gpu03");
    environment.put("SLURM_JOB_NODELIST", "alpha,beta");
    assertThat(RankEnvironment.read(environment).job().master().getHostString()).isEqualTo("alpha");
  }

  @Test
  void contradictionsAreRefusedWithBothValues() {
    refused(
        "RANK=1, but OMPI_COMM_WORLD_RANK=2",
        "RANK",
        "1",
        "WORLD_SIZE",
        "4",
        "OMPI_COMM_WORLD_RANK",
        "2",
        "OMPI_COMM_WORLD_SIZE",
        "4");
    refused(
        "WORLD_SIZE=4, but OMPI_COMM_WORLD_SIZE=8",
        "RANK",
        "1",
        "WORLD_SIZE",
        "4",
        "OMPI_COMM_WORLD_RANK",
        "1",
        "OMPI_COMM_WORLD_SIZE",
        "8");
    refused("according to RANK and WORLD_SIZE this is rank 4 of 4", "RANK", "4", "WORLD_SIZE", "4");
    refused("according to PMI this is rank 3 of 3", "PMI_RANK", "3", "PMI_SIZE", "3");
    refused(
        "LOCAL_WORLD_SIZE=9 does not fit a job of 4 ranks",
        "RANK",
        "1",
        "WORLD_SIZE",
        "4",
        "LOCAL_WORLD_SIZE",
        "9");
  }

  @Test
  void whatIsMissingOrUnreadableIsNamed() {
    refused("this process is no rank of a job");
    refused("WORLD_SIZE is not set", "RANK", "1");
    refused("RANK=one is no whole number", "RANK", "one", "WORLD_SIZE", "4");
    refused("MASTER_PORT=70000 is no port", "RANK", "1", "WORLD_SIZE", "4", "MASTER_PORT", "70000");
    refused("MASTER_ADDR is not set", "RANK", "1", "WORLD_SIZE", "4", "MASTER_ADDR", "");
    refused(
        "SORTIE_JOB_TOKEN has 5 characters",
        "RANK",
        "1",
        "WORLD_SIZE",
        "4",
        "SORTIE_JOB_TOKEN",
        "short");
  }

  private static void refused(String message, String... pairs) {
    assertThatThrownBy(() -> read(pairs))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(message);
  }
}
