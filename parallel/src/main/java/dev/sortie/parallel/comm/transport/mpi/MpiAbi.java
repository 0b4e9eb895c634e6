package dev.sortie.parallel.comm.transport.mpi;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.util.Optional;

/**
 * Where MPI libraries differ for those who call them without their header: what a handle is, and
 * the values of predefined ones. Handles are 64 bits here; where the library has 32, the upper half
 * is cut off.
 *
 * <table>
 * <caption>Known libraries</caption>
 * <tr><th>library</th><th>a handle</th><th>predefined handles</th></tr>
 * <tr><td>Open MPI 4.1 and 5</td><td>a pointer</td><td>addresses of symbols</td></tr>
 * <tr><td>MPICH and what shares its ABI</td><td>32 bits</td><td>numbers</td></tr>
 * <tr><td>the MPI 5 standard ABI</td><td>a pointer</td><td>numbers</td></tr>
 * </table>
 *
 * @param name of the library's kind
 * @param handle what a handle is
 * @param world MPI_COMM_WORLD
 * @param bytes MPI_BYTE
 * @param returnErrors MPI_ERRORS_RETURN
 * @param serialized MPI_THREAD_SERIALIZED
 */
record MpiAbi(
    String name, MemoryLayout handle, long world, long bytes, long returnErrors, int serialized) {
  private static final MpiAbi MPICH =
      new MpiAbi("MPICH", JAVA_INT, 0x44000000, 0x4c00010d, 0x54000001, 2);
  private static final MpiAbi STANDARD =
      new MpiAbi("standard ABI", JAVA_LONG, 0x101, 0x247, 0x143, 2048);

  /** Open MPI's, if this is one: its predefined objects are symbols. */
  static Optional<MpiAbi> openMpi(SymbolLookup library) {
    if (library.find("ompi_mpi_comm_world").isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new MpiAbi(
            "Open MPI",
            JAVA_LONG,
            library.findOrThrow("ompi_mpi_comm_world").address(),
            library.findOrThrow("ompi_mpi_byte").address(),
            library.findOrThrow("ompi_mpi_errors_return").address(),
            2));
  }

  /**
   * The ABI of another library.
   *
   * @param version what MPI_Get_library_version says
   * @param standard the version of the standard ABI that the library has, below 1 for none
   */
  static Optional<MpiAbi> of(String version, int standard) {
    if (standard >= 1) {
      return Optional.of(STANDARD);
    }
    return version.contains("MPICH") || version.contains("Intel(R) MPI")
        ? Optional.of(MPICH)
        : Optional.empty();
  }
}
