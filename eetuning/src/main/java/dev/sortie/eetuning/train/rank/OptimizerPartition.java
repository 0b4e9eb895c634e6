package dev.sortie.eetuning.train.rank;

import dev.sortie.eetuning.train.ShardedTensor;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.Slice;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.parallel.shard.ShardRange;
import dev.sortie.parallel.shard.TensorShard;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;

/**
 * Which rows of a rank's parameters each replica updates (ZeRO stage 1, arXiv 1910.02054): it keeps
 * the optimiser's moments of these alone, and has the others' new rows from the replicas that
 * updated them. The update of an element reads nothing but what belongs to that element and the
 * norm of all gradients, so the bits are those of one rank.
 *
 * <p>Parameters that ranks share along their inputs, the second dim, are given to replicas whole,
 * by turns: a checkpoint describes parts along one dim.
 *
 * <p>Gradients are summed whole on every replica: clipping needs the sum of all squares, added in
 * one order, whoever updates what.
 */
public final class OptimizerPartition {
  private final ProcessGroups groups;
  private final Sharding sharding;
  private final SequencedMap<String, Tensor> parameters;
  private final SequencedMap<String, Tensor> mine = new LinkedHashMap<>();
  private final Map<Tensor, String> names = new IdentityHashMap<>();

  /** The replica of each parameter that is given to one whole. */
  private final Map<String, Integer> owners = new HashMap<>();

  private final List<Handle> exchange = new ArrayList<>();

  /**
   * @param parameters the same on all replicas; at least one row each
   * @param sharding how ranks share them
   */
  OptimizerPartition(
      ProcessGroups groups, SequencedMap<String, Tensor> parameters, Sharding sharding) {
    this.groups = groups;
    this.sharding = sharding;
    this.parameters = parameters;
    parameters.keySet().stream()
        .filter(this::isWhole)
        .forEach(name -> owners.put(name, owners.size() % groups.mesh().dp()));
    parameters.forEach(
        (name, p) ->
            rows(name, groups.coordinates().dp())
                .ifPresent(
                    share -> {
                      Tensor rows =
                          Tensor.of(
                              span(p, share),
                              new Slice(0, share.from(), share.count()).of(p.shape()));
                      mine.put(name, rows);
                      names.put(rows, name);
                    }));
  }

  /** As above; empty where there is one replica, which has everything. */
  public static Optional<OptimizerPartition> of(
      ProcessGroups groups, SequencedMap<String, Tensor> parameters, Sharding sharding) {
    return groups.mesh().dp() == 1
        ? Optional.empty()
        : Optional.of(new OptimizerPartition(groups, parameters, sharding));
  }

  /** The part of a parameter, of those of all ranks, that this rank's replicas share out. */
  private TensorShard portion(String name) {
    return TensorShard.of(sharding, name, parameters.get(name).shape());
  }

  /** Whether ranks share it along its inputs. */
  private boolean isWhole(String name) {
    return portion(name).part().map(Slice::dim).orElse(0) > 0;
  }

  /** The rows of a replica; empty where it has none. */
  private Optional<ShardRange> rows(String name, int replica) {
    long rows = parameters.get(name).shape().dim(0);
    if (owners.containsKey(name)) {
      return owners.get(name) == replica
          ? Optional.of(ShardRange.of(rows, 1, 0))
          : Optional.empty();
    }
    int sharers = (int) Math.min(groups.mesh().dp(), rows);
    return replica < sharers
        ? Optional.of(ShardRange.of(rows, sharers, replica))
        : Optional.empty();
  }

  private static Span span(Tensor t, ShardRange rows) {
    long width = t.shape().count() / t.shape().dim(0);
    return t.span().slice(rows.from() * width, rows.count() * width);
  }

  /** This replica's rows of each parameter that it has rows of, in place. */
  public SequencedMap<String, Tensor> mine() {
    return mine;
  }

  /**
   * The gradient of what an optimiser updates: {@link #mine}, or all where there is one replica.
   */
  public static UnaryOperator<Tensor> gradients(
      Optional<OptimizerPartition> replicas, Gradients all) {
    return replicas.<UnaryOperator<Tensor>>map(r -> rows -> r.gradient(all, rows)).orElse(all::of);
  }

  private Tensor gradient(Gradients all, Tensor rows) {
    String name = names.get(rows);
    Tensor whole = all.of(parameters.get(name));
    return Tensor.of(
        span(whole, rows(name, groups.coordinates().dp()).orElseThrow()), rows.shape());
  }

  /** Begins to give this replica's rows to the others and to take theirs. A collective call. */
  public void startExchange() {
    parameters.forEach(
        (name, p) -> {
          if (isEven(name)) {
            Span own = span(p, rows(name, groups.coordinates().dp()).orElseThrow());
            exchange.add(groups.startGather(Elements.of(own), Elements.of(p.span())));
          } else {
            startFromEach(name, p);
          }
        });
  }

  /** Whether replicas have equally many rows. */
  private boolean isEven(String name) {
    return !owners.containsKey(name)
        && parameters.get(name).shape().dim(0) % groups.mesh().dp() == 0;
  }

  private void startFromEach(String name, Tensor p) {
    for (int replica = 0; replica < groups.mesh().dp(); replica++) {
      Optional<ShardRange> rows = rows(name, replica);
      if (rows.isPresent()) {
        exchange.add(groups.startFrom(Elements.of(span(p, rows.get())), replica));
      }
    }
  }

  /** Ends when all rows are here. Waits for the last ones first: this rank sleeps once. */
  public void awaitExchange() {
    exchange.reversed().forEach(Handle::await);
    exchange.clear();
  }

  /** Ends when nothing is under way any more, however the run ended. */
  public void settle() {
    ProcessGroups.settle(exchange);
    exchange.clear();
  }

  /** The parameters as parts of those of all ranks; the first replica answers for them. */
  public SequencedMap<String, ShardedTensor> parameters() {
    SequencedMap<String, ShardedTensor> parts = new LinkedHashMap<>();
    parameters.forEach(
        (name, p) -> {
          TensorShard rank = portion(name);
          boolean answers = rank.first() && groups.coordinates().dp() == 0;
          parts.put(
              name, new ShardedTensor(p, new TensorShard(rank.whole(), rank.part(), answers)));
        });
    return parts;
  }

  /**
   * The moments of {@link #mine} as parts of those of all parameters.
   *
   * @param state the optimiser's
   */
  public SequencedMap<String, ShardedTensor> moments(Map<String, Tensor> state) {
    SequencedMap<String, ShardedTensor> parts = new LinkedHashMap<>();
    state.forEach(
        (name, m) -> parts.put(name, new ShardedTensor(m, moment(AdamW.parameterOf(name)))));
    return parts;
  }

  private TensorShard moment(String parameter) {
    TensorShard rank = portion(parameter);
    if (owners.containsKey(parameter)) {
      return rank;
    }
    ShardRange rows = rows(parameter, groups.coordinates().dp()).orElseThrow();
    long from = rank.part().map(Slice::from).orElse(0L) + rows.from();
    Slice part = new Slice(0, from, rows.count());
    boolean all = part.count() == rank.whole().dim(0);
    return new TensorShard(rank.whole(), all ? Optional.empty() : Optional.of(part), rank.first());
  }
}
