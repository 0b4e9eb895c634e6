package dev.sortie.eetuning.train;

import dev.sortie.nn.Part;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.parallel.shard.Portion;
import dev.sortie.parallel.shard.Share;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * Which rows of an exit's parameters each replica updates (ZeRO stage 1, arXiv 1910.02054): it
 * keeps the optimiser's moments of these alone, and has the others' new rows from the replicas that
 * updated them. The update of an element reads nothing but what belongs to that element and the
 * norm of all gradients, so the bits are those of one rank.
 *
 * <p>Gradients are summed whole on every replica: clipping needs the sum of all squares, added in
 * one order, whoever updates what.
 */
final class ReplicaRows {
  private final Team team;
  private final SequencedMap<String, Tensor> parameters;
  private final SequencedMap<String, Tensor> mine = new LinkedHashMap<>();
  private final Map<Tensor, String> names = new IdentityHashMap<>();
  private final List<Handle> exchange = new ArrayList<>();

  /**
   * @param parameters of one exit, the same on all replicas; at least one row each
   */
  ReplicaRows(Team team, SequencedMap<String, Tensor> parameters) {
    this.team = team;
    this.parameters = parameters;
    parameters.forEach(
        (name, p) ->
            part(p, team.place().dp())
                .ifPresent(
                    part -> {
                      Tensor rows = Tensor.of(rows(p, part), part.of(p.shape()));
                      mine.put(name, rows);
                      names.put(rows, name);
                    }));
  }

  /** The rows of a replica; empty where there are fewer rows than replicas and it has none. */
  private Optional<Part> part(Tensor p, int replica) {
    long rows = p.shape().dim(0);
    int sharers = (int) Math.min(team.mesh().dp(), rows);
    if (replica >= sharers) {
      return Optional.empty();
    }
    Share share = Share.of(rows, sharers, replica);
    return Optional.of(new Part(0, share.from(), share.count()));
  }

  private static Span rows(Tensor t, Part part) {
    long width = t.shape().count() / t.shape().dim(0);
    return t.span().slice(part.from() * width, part.count() * width);
  }

  /** This replica's rows of each parameter that it has rows of, in place. */
  SequencedMap<String, Tensor> mine() {
    return mine;
  }

  /** The gradient of some of these rows. */
  Tensor gradient(Gradients all, Tensor rows) {
    String name = names.get(rows);
    Tensor p = parameters.get(name);
    return Tensor.of(rows(all.of(p), part(p, team.place().dp()).orElseThrow()), rows.shape());
  }

  /** Begins to give this replica's rows to the others and to take theirs. A collective call. */
  void startExchange() {
    for (Tensor p : parameters.values()) {
      for (int replica = 0; replica < team.mesh().dp(); replica++) {
        Optional<Part> part = part(p, replica);
        if (part.isPresent()) {
          exchange.add(team.startFrom(Elements.of(rows(p, part.get())), replica));
        }
      }
    }
  }

  /** Ends when all rows are here. */
  void awaitExchange() {
    exchange.forEach(Handle::await);
    exchange.clear();
  }

  /** A moment of a parameter's rows as a part of the moment of all. */
  StatePart moment(String parameter, Tensor rows) {
    Tensor p = parameters.get(parameter);
    Optional<Part> part = part(p, team.place().dp()).filter(x -> x.count() < p.shape().dim(0));
    return new StatePart(rows, new Portion(p.shape(), part, true));
  }

  /** A parameter, for which the first replica answers. */
  StatePart parameter(Tensor p) {
    return new StatePart(p, new Portion(p.shape(), Optional.empty(), team.place().dp() == 0));
  }
}
