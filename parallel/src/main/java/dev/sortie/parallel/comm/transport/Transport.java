package dev.sortie.parallel.comm.transport;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.time.Duration;
import java.util.Optional;

/**
 * Moves bytes between the ranks of a job. Knows nothing of types, sums or calls: those are the
 * communicator's. Every implementation passes the same suite.
 */
public interface Transport extends AutoCloseable {

  /** Such as {@code threads}. */
  String name();

  /** This rank. */
  GlobalRank rank();

  /** Number of ranks in the job. */
  int world();

  /** Ranks that share this machine's cores with this one, itself included. */
  int neighbours();

  /**
   * Byte streams between the members of a group. A collective call of the members.
   *
   * @param id the same for all members, never used before in this job; letters, digits, dots
   * @param deadline longest wait for the other members
   */
  Endpoint open(String id, Group group, Duration deadline);

  /** Ends the job: the first failure is kept, and all ranks see it. */
  void fail(Failure failure);

  /** Ends the job; the exception is the first failure's, which may be another rank's. */
  default CommException failWith(Failure failure) {
    fail(failure);
    return failure().orElse(failure).exception();
  }

  /** The failure that ended the job, if any. Cheap: waiting loops ask again and again. */
  Optional<Failure> failure();

  /** Gives back all that this rank holds. Endpoints must not be used afterwards. */
  @Override
  void close();
}
