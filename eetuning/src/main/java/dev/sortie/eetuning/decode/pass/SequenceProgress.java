package dev.sortie.eetuning.decode.pass;

import dev.sortie.eetuning.decode.policy.ExitEvidence;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ExitSchedule;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.TextTokens;
import dev.sortie.nn.KvCache;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/**
 * One sequence in a batch, or in a stage of a pipeline: its cache, how far each segment of layers
 * has come, and the hidden states of its deficit tokens. Close it to free them.
 */
public final class SequenceProgress implements AutoCloseable {
  /**
   * Hidden states kept. Deficit tokens and the one being read are at most a stable batch, and when
   * they come to an exit its own layer lags less than that behind.
   */
  private static final int KEPT = 2 * Kernels.ROW_STABLE;

  private final Sequence sequence;
  private final ExitPolicy policy;
  private final LogitsReader reader;

  /** What each segment reads, position {@code p} in row {@code p % KEPT}; {@code [KEPT, C]}. */
  private final Tensor[] inputs;

  /** How many exits may be asked. */
  private final int exits;

  /** Of the exit behind each segment; null where it has no layer of its own or none is asked. */
  private final KvCache[] exitCaches;

  /** Positions done in each segment's layers. */
  private final int[] done;

  /** Positions done in the own layer of the exit behind each segment. */
  private final int[] exitDone;

  private final ExitSchedule schedule;

  /** What is read is put there by whoever reads it, at the latest before an exit is asked. */
  private final TextTokens text;

  private int position;

  /** For {@link ExitSchedule#left}: where the token being read leaves. */
  private int left = ExitSchedule.ELSEWHERE;

  /** Output of the layers that the token being read came through last, {@code [1, C]}. */
  private Tensor x;

  /** The residual after the attention of the last of them, {@code [1, C]}. */
  private Tensor a;

  /** By the exit asked last for the token that is being read; null before the first. */
  private ExitEvidence.Said said;

  /** By {@link ExitSchedule#pending}, where other ranks have some of the exits; else negative. */
  private int pending = -1;

  /**
   * Before the first token.
   *
   * @param sequence closed with this
   * @param maxPending deficit tokens at most
   * @param caches that of the exit behind a segment, for those with a layer of their own; null for
   *     some of its own
   */
  public SequenceProgress(
      Sequence sequence,
      List<Segment> segments,
      ExitPolicy policy,
      int maxPending,
      IntFunction<KvCache> caches) {
    this.sequence = sequence;
    this.policy = policy;
    this.reader = new LogitsReader(sequence.decoder().config().vocab());
    int count = segments.size();
    this.inputs = new Tensor[count];
    this.exitCaches = new KvCache[count];
    this.done = new int[count];
    this.exitDone = new int[count];
    List<Exit> asked = segments.stream().flatMap(g -> g.exit().stream()).toList();
    this.text =
        new TextTokens(policy.never() ? List.of() : asked, sequence.capacity(), sequence.arena());
    this.exits = asked.size();
    int between = (int) asked.stream().filter(e -> !e.isBehindLastLayer()).count();
    this.schedule = new ExitSchedule(exits, between, maxPending, policy.rests());
    Shape kept = Shape.of(KEPT, sequence.decoder().config().hidden());
    for (Segment s : segments) {
      inputs[s.index()] = Tensor.allocate(sequence.arena(), DType.F32, kept);
      if (!policy.never() && s.exit().filter(Exit::hasCache).isPresent()) {
        Exit e = s.exit().get();
        exitCaches[s.index()] =
            caches == null
                ? e.cache(sequence.arena(), DType.F32, sequence.capacity())
                : caches.apply(s.index());
      }
    }
  }

  /** Tokens read so far. */
  public int position() {
    return position;
  }

  /**
   * Forgets all tokens but the first ones.
   *
   * @param count tokens to keep, 0 to {@link #position}
   */
  public void rewind(int count) {
    position = Sequence.checkKept(count, position);
    said = null;
    text.rewind(Math.min(text.length(), position));
    schedule.rewind(position);
    for (int i = 0; i < done.length; i++) {
      done[i] = Math.min(done[i], position);
      exitDone[i] = Math.min(exitDone[i], position);
    }
  }

  public Sequence sequence() {
    return sequence;
  }

  /** The tokens read, for draft heads. */
  public TextTokens text() {
    return text;
  }

  ExitPolicy policy() {
    return policy;
  }

  public LogitsReader reader() {
    return reader;
  }

  /** Whether the exit behind a segment is asked about the token being read. */
  boolean asks(int segment) {
    return !policy.never()
        && (pending < 0 ? schedule.asks(segment) : schedule.asks(segment, pending));
  }

  /** The token being read leaves at the exit behind a segment. */
  void leaves(int segment) {
    left = segment;
  }

  /** The token being read leaves at no exit of these: the final layer answers, or another rank. */
  void leavesBelow() {
    left = exits;
  }

  /** Tokens read that the last segment has not done. */
  public int deficit() {
    return position - done[done.length - 1];
  }

  /**
   * Begins a token of which other ranks know more.
   *
   * @param left by {@link ExitSchedule#pending} of all exits
   * @param before what the exit asked last said of it, or null
   */
  public void begin(int left, ExitEvidence.Said before) {
    pending = left;
    said = before;
  }

  public int done(int segment) {
    return done[segment];
  }

  public void done(int segment, int count) {
    done[segment] = count;
  }

  /** The cache of the exit behind a segment, or null. */
  KvCache exitCache(int segment) {
    return exitCaches[segment];
  }

  int exitDone(int segment) {
    return exitDone[segment];
  }

  void exitDone(int segment, int count) {
    exitDone[segment] = count;
  }

  /** {@code count} tokens were read by all layers, exits' own too. */
  public void readByAll(int count) {
    position += count;
    Arrays.fill(done, position);
    Arrays.fill(exitDone, position);
    schedule.start(position);
  }

  /** A token was read; what it went through says {@link #done}. */
  public void readOne() {
    position++;
    schedule.left(left);
    left = ExitSchedule.ELSEWHERE;
    x = null;
    a = null;
  }

  /** What segment {@code segment} reads at position {@code p}, {@code [1, C]}. */
  public Tensor input(int segment, int p) {
    long width = inputs[segment].shape().dim(1);
    return Tensor.of(inputs[segment].span().slice(p % KEPT * width, width), Shape.of(1, width));
  }

  void outcome(Tensor output, Tensor residual) {
    x = output;
    a = residual;
  }

  Tensor x() {
    return x;
  }

  Tensor a() {
    return a;
  }

  public ExitEvidence.Said said() {
    return said;
  }

  void said(ExitEvidence.Said by) {
    said = by;
  }

  @Override
  public void close() {
    sequence.close();
  }
}
