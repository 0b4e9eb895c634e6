package dev.sortie.eetuning.decode.pipeline;

import dev.sortie.eetuning.decode.pass.ChunkedPrefill;
import dev.sortie.eetuning.decode.policy.ExitEvidence;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.Sha256;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.mesh.Axis;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.shard.ShardGroup;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * How a rank of a decoding pipeline is joined to the others: to the stages before and after it at
 * its own position among the ranks that share a stage's weights, and to those. The first stage's
 * first rank leads.
 *
 * <p>Between stages go a head of {@value #HEAD} numbers and, where it says so, rows of hidden
 * states; back to the leader go answers of {@value ChosenToken#NUMBERS} numbers.
 */
public final class StageLinks implements AutoCloseable {
  private static final int HEAD = 9;

  private static final int PROMPT = 1;
  private static final int TOKEN = 2;
  private static final int CLOSE = 3;
  private static final int STOP = 4;

  /** Most numbers of a decision. */
  static final int DECISION = 2 + 4 * Kernels.ROW_STABLE;

  private final Communicator world;
  private final Communicator stages;
  private final Optional<Communicator> shares;
  private final Mesh mesh;
  private final Arena arena = Arena.ofShared();

  // each is used by one thread
  private final MemorySegment head = arena.allocate((long) HEAD * Integer.BYTES, 64);
  private final MemorySegment headIn = arena.allocate(head.byteSize(), 64);
  private final MemorySegment answer = arena.allocate((long) ChosenToken.NUMBERS * Long.BYTES, 64);
  private final MemorySegment[] answersIn;
  private final MemorySegment decision = arena.allocate((long) DECISION * Long.BYTES, 64);
  private MemorySegment rowsIn = MemorySegment.NULL;

  /**
   * Joins the others. A collective call.
   *
   * @param world of all ranks; stays open
   * @param mesh of tensor-parallel ranks and stages
   */
  public StageLinks(Communicator world, Mesh mesh) {
    this.world = world;
    this.mesh = mesh;
    this.stages = world.split(mesh.group(Axis.PP, world.rank()));
    this.shares =
        mesh.tp() == 1
            ? Optional.empty()
            : Optional.of(world.split(mesh.group(Axis.TP, world.rank())));
    this.answersIn = new MemorySegment[mesh.pp()];
    for (int s = 0; s < answersIn.length; s++) {
      answersIn[s] = arena.allocate(answer.byteSize(), 64);
    }
  }

  /** This rank's stage, from 0. */
  public int stage() {
    return mesh.coordinates(world.rank()).pp();
  }

  /** Number of stages. */
  public int count() {
    return mesh.pp();
  }

  /** The ranks that share this stage's weights; empty where this rank has all of them. */
  public Optional<ShardGroup> shares() {
    return shares.map(ShardGroup::new);
  }

  /** Whether this rank decides for the others that share its stage's weights. */
  boolean decides() {
    return shares.map(s -> s.position() == 0).orElse(true);
  }

  /** Whether this rank reads answers and prints. */
  public boolean leads() {
    return world.position() == 0;
  }

  /** Ends the work of all ranks, which get the reason. */
  public void abort(String reason) {
    world.abort(reason);
  }

  /**
   * Fails on ranks whose work differs from the leader's. A collective call.
   *
   * @param what decides the result
   * @throws InputException if it is not the same
   */
  void requireSame(String what) {
    long[] mine = new long[DECISION];
    String hash = Sha256.of(what.getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i < hash.length() / 16; i++) {
      mine[i] = Long.parseUnsignedLong(hash, 16 * i, 16 * (i + 1), 16);
    }
    long[] leaders = broadcast(world, () -> mine);
    if (!Arrays.equals(mine, leaders)) {
      throw new InputException(
          "rank %d would decode something else than rank 0; start all ranks with the same command, files and kernels"
              .formatted(world.position()));
    }
  }

  /**
   * What the deciding rank of this stage says, {@link #DECISION} numbers; on one rank alone what it
   * says itself.
   */
  long[] agreed(Supplier<long[]> decides) {
    return shares.isEmpty() ? decides.get() : broadcast(shares.get(), decides);
  }

  private long[] broadcast(Communicator c, Supplier<long[]> first) {
    if (c.position() == 0) {
      MemorySegment.copy(first.get(), 0, decision, ValueLayout.JAVA_LONG, 0, DECISION);
    }
    c.broadcast(new Elements(ElementType.I64, decision), 0);
    return decision.toArray(ValueLayout.JAVA_LONG);
  }

  /** Everyone's numbers, stage by stage, of the ranks at this position. A collective call. */
  long[] gathered(long[] mine) {
    try (Arena memory = Arena.ofShared()) {
      MemorySegment from = memory.allocateFrom(ValueLayout.JAVA_LONG, mine);
      MemorySegment all = memory.allocate(from.byteSize() * count(), 64);
      stages.allGather(new Elements(ElementType.I64, from), new Elements(ElementType.I64, all));
      return all.toArray(ValueLayout.JAVA_LONG);
    }
  }

  /** Ends on each rank at this position after it has begun on all. */
  void barrier() {
    stages.barrier();
  }

  /** Sends rows of a prompt on. */
  void sendPrompt(int text, int from, int to, Tensor rows) {
    send(rows, PROMPT, text, from, to, 0, 0, 0, 0, 0);
  }

  /** Sends a token on, with its hidden state. */
  void sendToken(StageCommand.Row r, Tensor row) {
    int token = r.said() == null ? -1 : r.said().token();
    int agreeing = r.said() == null ? 0 : r.said().agreeing();
    int wanted = r.wanted() ? 1 : 0;
    send(row, TOKEN, r.text(), r.position(), 1, r.id(), wanted, r.pending(), token, agreeing);
  }

  void sendClose(int text) {
    send(null, CLOSE, text, 0, 0, 0, 0, 0, 0, 0);
  }

  void sendStop() {
    send(null, STOP, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  private void send(Tensor rows, int... numbers) {
    MemorySegment.copy(numbers, 0, head, ValueLayout.JAVA_INT, 0, HEAD);
    stages.send(new Elements(ElementType.I32, head), stage() + 1);
    if (rows != null) {
      stages.send(Elements.of(rows.span()), stage() + 1);
    }
  }

  /**
   * Waits for what the stage before sends next. One thread calls it.
   *
   * @param width of a row
   */
  StageCommand receive(int width) {
    stages.receive(new Elements(ElementType.I32, headIn), stage() - 1);
    int[] n = headIn.toArray(ValueLayout.JAVA_INT);
    return switch (n[0]) {
      case PROMPT -> new StageCommand.Prompt(n[1], n[2], n[3], rows(n[3] - n[2], width));
      case TOKEN -> {
        ExitEvidence.Said said = n[7] < 0 ? null : new ExitEvidence.Said(n[7], n[8]);
        yield new StageCommand.Tokens(
            List.of(new StageCommand.Row(n[1], n[2], n[4], n[5] == 1, n[6], said, rows(1, width))));
      }
      case CLOSE -> new StageCommand.Close(n[1]);
      case STOP -> new StageCommand.Stop();
      default ->
          throw new IllegalStateException(
              "stage %d got a message of kind %d".formatted(stage(), n[0]));
    };
  }

  private float[] rows(int count, int width) {
    long bytes = (long) count * width * Float.BYTES;
    if (rowsIn.byteSize() < bytes) {
      rowsIn = arena.allocate((long) ChunkedPrefill.USUAL * width * Float.BYTES, 64);
    }
    MemorySegment in = rowsIn.asSlice(0, bytes);
    stages.receive(new Elements(ElementType.F32, in), stage() - 1);
    return in.toArray(ValueLayout.JAVA_FLOAT);
  }

  /** Tells the leader, from another stage; only the deciding rank does. */
  void sendAnswer(long[] numbers) {
    MemorySegment.copy(numbers, 0, answer, ValueLayout.JAVA_LONG, 0, ChosenToken.NUMBERS);
    stages.send(new Elements(ElementType.I64, answer), 0);
  }

  /** Waits for what a stage tells the leader next. One thread a stage calls it. */
  long[] receiveAnswer(int stage) {
    stages.receive(new Elements(ElementType.I64, answersIn[stage]), stage);
    return answersIn[stage].toArray(ValueLayout.JAVA_LONG);
  }

  @Override
  public void close() {
    shares.ifPresent(Communicator::close);
    stages.close();
    arena.close();
  }
}
