package dev.sortie.eetuning.decode.pass;

import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.policy.ExitEvidence;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ExitSchedule;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.TextTokens;
import dev.sortie.nn.KvCache;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * One text on a {@link Descent}: its caches, how far each segment of layers has come, the hidden
 * states of its deficit tokens, and the tokens being read, which are the one just chosen and draft
 * tokens after it. Close it to free them.
 */
public final class SequenceState implements AutoCloseable {
  private final Sequence sequence;
  final ExitPolicy policy;
  private final ExitSchedule schedule;
  final LogitsReader reader;
  private final SegmentState[] segments;

  /** What the whole head said of the tokens being read; null where another rank has it. */
  final HeadRows finals;

  /** How many exits may be asked. */
  private final int exits;

  /** As far as it was read, draft tokens among it. */
  final TextTokens tokens;

  private int position;

  /** The tokens that are being read; they end before {@link #ahead}. */
  private int[] round = new int[0];

  private int ahead;

  /** For {@link ExitSchedule#left}: where the token being read leaves. */
  private int left = ExitSchedule.ELSEWHERE;

  /** By the exit asked last for the token that is being read; null before the first. */
  private ExitEvidence.Said said;

  /** By {@link ExitSchedule#pending}, where other ranks have some of the exits; else negative. */
  private int pending = -1;

  /**
   * The state before the first token.
   *
   * @param sequence closed with this, and where there is too little memory for this
   * @param maxPending deficit tokens at most
   * @param rows tokens that are read at once at most, 1 without drafts
   * @param caches that of the exit after a segment, for those with a layer of their own; empty for
   *     some of its own
   */
  public static SequenceState of(
      Sequence sequence,
      List<Segment> segments,
      ExitPolicy policy,
      int maxPending,
      int rows,
      Optional<IntFunction<KvCache>> caches) {
    return sequence
        .arena()
        .orClose(() -> new SequenceState(sequence, segments, policy, maxPending, rows, caches));
  }

  private SequenceState(
      Sequence sequence,
      List<Segment> segments,
      ExitPolicy policy,
      int maxPending,
      int rows,
      Optional<IntFunction<KvCache>> caches) {
    this.sequence = sequence;
    this.policy = policy;
    int vocab = sequence.decoder().config().vocab();
    this.reader = new LogitsReader(vocab);
    List<Exit> all = segments.stream().flatMap(g -> g.exit().stream()).toList();
    this.exits = all.size();
    int between = (int) all.stream().filter(e -> !e.isBehindLastLayer()).count();
    this.schedule = new ExitSchedule(exits, between, maxPending, policy.rests());
    this.tokens =
        new TextTokens(policy.never() ? List.of() : all, sequence.capacity(), sequence.arena());
    this.segments = new SegmentState[segments.size()];
    RecentStates inputs = states();
    for (Segment g : segments) {
      RecentStates outputs = g.isOutlet() ? null : states();
      this.segments[g.index()] =
          new SegmentState(
              g, this, inputs, outputs, exitCache(g, caches), policy.never() ? 1 : rows);
      inputs = outputs;
    }
    this.finals = segments.getLast().isOutlet() ? null : new HeadRows(sequence, rows, vocab);
  }

  private RecentStates states() {
    return new RecentStates(sequence.arena(), sequence.decoder().config().hidden());
  }

  private KvCache exitCache(Segment g, Optional<IntFunction<KvCache>> caches) {
    if (policy.never() || g.exit().filter(Exit::hasCache).isEmpty()) {
      return null;
    }
    return caches
        .map(c -> c.apply(g.index()))
        .orElseGet(() -> g.exit().get().cache(sequence.arena(), DType.F32, sequence.capacity()));
  }

  /** Its KV cache, and the memory that lives as long as it. */
  public Sequence sequence() {
    return sequence;
  }

  /** Whether all its tokens go through all layers. */
  public boolean isFullDepth() {
    return policy.never();
  }

  /** Tokens read so far. */
  public int position() {
    return position;
  }

  /** Behind the last token being read: {@link #position} where all that were begun are read. */
  public int ahead() {
    return ahead;
  }

  /** Tokens read that the last segment has not done. */
  public int deficit() {
    return position - segments[segments.length - 1].done;
  }

  /** How far one segment has come. */
  public int done(Segment g) {
    return at(g).done;
  }

  SegmentState at(Segment g) {
    return segments[g.index()];
  }

  /** How far the segment after one has come. */
  int doneBehind(Segment g) {
    return g.index() + 1 < segments.length ? segments[g.index() + 1].done : Integer.MAX_VALUE;
  }

  /** Another text has left the keys and values of these first tokens in the caches. */
  public void found(int[] prompt) {
    tokens.read(sequence.ops(), 0, prompt);
    readByAll(prompt.length);
  }

  /** What follows a prompt, from the final hidden state of its last token, {@code [1, 1, C]}. */
  public Step afterPrompt(Tensor y) {
    return reader.readFinal(sequence, y);
  }

  /** {@code count} tokens were read by all layers, exits' own too. */
  void readByAll(int count) {
    position += count;
    ahead = position;
    for (SegmentState s : segments) {
      s.done = position;
      s.exitDone = position;
    }
    schedule.start(position);
  }

  /**
   * Begins to read tokens after those read.
   *
   * @param next the next token, and draft tokens after it
   */
  public void begin(int... next) {
    cut();
    tokens.read(sequence.ops(), position, next);
    round = next;
    ahead = position + next.length;
  }

  /**
   * The token begun comes from the stage before.
   *
   * @param hidden its state there, {@code [C]}
   */
  public void arrive(Tensor hidden) {
    segments[0].arrive(position, hidden);
  }

  /** The state of the token at {@code position}, {@code [1, C]}, which goes to the next stage. */
  public Tensor sent(int position) {
    SegmentState outlet = segments[segments.length - 1];
    outlet.done = position + 1;
    return Sequence.lastRow(outlet.inputs.rows(position, position + 1));
  }

  /**
   * What other ranks know of the token begun.
   *
   * @param before by {@link ExitSchedule#pending} of all exits
   * @param by what the exit asked last said of it, or null
   */
  public void knows(int before, ExitEvidence.Said by) {
    pending = before;
    said = by;
  }

  /** Its next token starts its way down: in one rank no exit has said anything of it. */
  void start() {
    if (pending < 0) {
      said = null;
    }
  }

  /** The tokens being read from {@link #position} on. */
  int[] unread() {
    return Arrays.copyOfRange(round, round.length - (ahead - position), round.length);
  }

  /** Whether the exit after a segment is asked about the token being read. */
  boolean asks(Segment g) {
    return !policy.never()
        && (pending < 0 ? schedule.asks(g.index()) : schedule.asks(g.index(), pending));
  }

  /** What the exit asked last says of the token being read, or null. */
  public ExitEvidence.Said said() {
    return said;
  }

  void said(ExitEvidence.Said by) {
    said = by;
  }

  /** The token being read leaves at the exit after a segment. */
  void leaves(Segment g) {
    left = g.index();
  }

  /** The token being read leaves at no exit of these: the final layer answers, or another rank. */
  void leavesBelow() {
    left = exits;
  }

  /** The next of the tokens begun was read: nothing is asked about it any more. */
  public void readOne() {
    position++;
    schedule.left(left);
    left = ExitSchedule.ELSEWHERE;
  }

  /**
   * The position of the token being read, and those after it that no exit asked so far would let
   * go: if they are right draft tokens, the whole head will be read for them too, and once for all
   * takes less.
   */
  int[] unanswered() {
    return ahead == position + 1
        ? new int[] {position}
        : IntStream.range(position, ahead)
            .filter(p -> p == position || Arrays.stream(segments).noneMatch(s -> s.leaves(p)))
            .toArray();
  }

  /** Forgets the tokens after {@link #position}. */
  public void cut() {
    ahead = position;
    tokens.rewind(Math.min(tokens.length(), position));
    for (SegmentState s : segments) {
      s.rewind(position);
    }
    if (finals != null) {
      finals.rewind(position);
    }
  }

  /**
   * Forgets all tokens but the first ones.
   *
   * @param count tokens to keep, 0 to {@link #position}
   */
  public void rewind(int count) {
    position = Sequence.checkKept(count, position);
    cut();
    schedule.rewind(position);
  }

  @Override
  public void close() {
    sequence.close();
  }
}
