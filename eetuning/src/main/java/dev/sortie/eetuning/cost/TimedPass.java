package dev.sortie.eetuning.cost;

import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.Lookahead;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * A pass through all layers and exits that looks at the clock between them. Keys and values before
 * it are made up: how long attention takes does not depend on them.
 */
final class TimedPass implements AutoCloseable {
  private static final double MADE_UP = 0.01;

  /**
   * Where one pass spent its time, in nanoseconds.
   *
   * @param layers all backbone layers
   * @param head final norm, head, confidence
   * @param rest embedding, reading the logits, the choice, giving memory back
   * @param exitLayers the layer of each exit, 0 where it has none
   * @param checks the check of each exit
   * @param ahead of the lookahead exit: its layer, its head, and both once more for one token; 0
   *     without one
   */
  record Laps(long layers, long head, long rest, long[] exitLayers, long[] checks, long[] ahead) {}

  private final Decoder decoder;
  private final List<Exit> exits;
  private final Optional<Lookahead> lookahead;
  private final LongSupplier clock;
  private final NativeArena arena = new NativeArena("timed pass");
  private final Workspace workspace = new Workspace();
  private final Ops ops;
  private final List<KvCache> caches;
  private final List<KvCache> exitCaches = new ArrayList<>();
  private final Optional<KvCache> aheadCache;
  private final float[] row;
  private long last;

  TimedPass(Decoder decoder, Exits exits, int capacity, Device device, LongSupplier clock) {
    this.decoder = decoder;
    this.exits = exits.exits();
    this.lookahead = exits.lookahead();
    this.clock = clock;
    this.ops = new Ops(device, workspace);
    this.caches = arena.orClose(() -> decoder.cache(arena, DType.F32, capacity));
    for (Exit e : this.exits) {
      exitCaches.add(
          e.hasCache() ? arena.orClose(() -> e.cache(arena, DType.F32, capacity)) : null);
    }
    this.aheadCache = arena.orClose(() -> lookahead.map(l -> l.cache(arena, DType.F32, capacity)));
    this.row = new float[decoder.config().vocab()];
    caches.forEach(this::makeUp);
    exitCaches.stream().filter(c -> c != null).forEach(this::makeUp);
    aheadCache.ifPresent(this::makeUp);
  }

  private void makeUp(KvCache cache) {
    ops.kernels().fill(cache.keys(ops, cache.capacity()).span(), MADE_UP);
    ops.kernels().fill(cache.values(ops, cache.capacity()).span(), MADE_UP);
  }

  /** A pass over {@code rows} tokens at positions {@code first ..}. */
  Laps run(int rows, int first) {
    long start = clock.getAsLong();
    last = start;
    Laps laps = NoGrad.call(() -> pass(rows, first));
    workspace.reset();
    long total = clock.getAsLong() - start;
    long known = laps.layers() + laps.head();
    for (int i = 0; i < laps.checks().length; i++) {
      known += laps.exitLayers()[i] + laps.checks()[i];
    }
    for (long lap : laps.ahead()) {
      known += lap;
    }
    return new Laps(
        laps.layers(), laps.head(), total - known, laps.exitLayers(), laps.checks(), laps.ahead());
  }

  private Laps pass(int rows, int first) {
    int[] ids = new int[rows];
    for (int i = 0; i < rows; i++) {
      ids[i] = (37 * (first + i) + 100) % decoder.config().vocab();
    }
    Tensor x = decoder.embed(ops, Tensor.ids(workspace, Shape.of(1, rows), ids), first);
    lap();
    long layers = 0;
    long[] exitLayers = new long[exits.size()];
    long[] checks = new long[exits.size()];
    int exit = 0;
    for (int i = 0; i < caches.size(); i++) {
      DecoderLayer layer = decoder.layers().get(i);
      Tensor a = layer.attend(ops, x, decoder.rope(), caches.get(i), first);
      x = layer.feedForward(ops, a);
      if (exit < exits.size() && exits.get(exit).depth() == i + 1) {
        layers += lap();
        Exit e = exits.get(exit);
        Tensor y = x;
        if (e.hasCache()) {
          y = e.advance(ops, x, exitCaches.get(exit), first);
          exitLayers[exit] = lap();
        }
        Tensor state = e.headState(ops, lastRow(y), lastRow(a));
        TopTokens.of(ops, e.headLogits(ops, state)).probability(0);
        e.gates().coverage().ifPresent(g -> g.probability(ops, state));
        checks[exit++] = lap();
      }
    }
    layers += lap();
    Tensor logits = decoder.logits(ops, x);
    TopTokens.of(ops, logits).probability(0);
    long head = lap();
    MemorySegment.ofArray(row).copyFrom(lastRow(logits).span().readOnly());
    Sampler.argmax(row);
    long[] ahead = new long[3];
    if (lookahead.isPresent()) {
      lap(); // reading and choosing belong to the rest
      ahead = ahead(lookahead.get(), x, first);
    }
    return new Laps(layers, head, 0, exitLayers, checks, ahead);
  }

  /** The lookahead exit over the final states x, and over one token more. */
  private long[] ahead(Lookahead l, Tensor x, int first) {
    int rows = x.shape().size(1);
    KvCache cache = aheadCache.orElseThrow();
    Tensor h = l.join(ops, _ -> x); // takes as long as theirs
    Tensor y =
        l.advance(ops, h, Tensor.ids(workspace, Shape.of(1, rows), new int[rows]), cache, first);
    long layer = lap();
    draft(l, y);
    long head = lap();
    Tensor state = Tensor.of(lastRow(y).span(), Shape.of(1, 1, y.shape().dim(-1)));
    Tensor id = Tensor.ids(workspace, Shape.of(1, 1), new int[1]);
    draft(l, l.advance(ops, state, id, cache, first + rows - 1));
    return new long[] {layer, head, lap()};
  }

  private void draft(Lookahead l, Tensor y) {
    TopTokens.of(ops, l.logits(ops, lastRow(y))).probability(0);
  }

  private long lap() {
    long now = clock.getAsLong();
    long lap = now - last;
    last = now;
    return lap;
  }

  private static Tensor lastRow(Tensor x) {
    long width = x.shape().dim(-1);
    return Tensor.of(x.span().slice((x.shape().rows() - 1) * width, width), Shape.of(1, width));
  }

  @Override
  public void close() {
    workspace.close();
    arena.close();
  }
}
