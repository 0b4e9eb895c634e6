package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.train.data.Microbatch;
import dev.sortie.eetuning.train.rank.GradientSum;
import dev.sortie.eetuning.train.rank.Team;
import dev.sortie.eetuning.train.stage.Flight;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.pipeline.Action;
import dev.sortie.parallel.pipeline.Chain;
import dev.sortie.parallel.pipeline.ComputationType;
import dev.sortie.parallel.pipeline.ScheduleRunner;
import dev.sortie.parallel.pipeline.Timed;
import dev.sortie.parallel.pipeline.TrainingSchedule;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.memory.Allocator;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/**
 * What one stage does of the passes of full training: its pieces forward and backward in the order
 * of a schedule, hidden states forward and gradients back while it computes.
 */
final class PiecePasses implements AutoCloseable {
  private final Team team;
  private final Chain chain;
  private final List<Piece> pieces;
  private final Device device;
  private final Inbox.Pool pool;
  private final List<Flight> all = new ArrayList<>();
  private final Deque<Flight> free = new ArrayDeque<>();
  private Optional<Inbox> inbox = Optional.empty();

  /**
   * @param pieces of this stage, by chunk
   * @param allocator for messages
   * @param message elements of the largest message
   */
  PiecePasses(
      Team team,
      Chain chain,
      List<Piece> pieces,
      Device device,
      Allocator allocator,
      long message) {
    this.team = team;
    this.chain = chain;
    this.pieces = pieces;
    this.device = device;
    this.pool = new Inbox.Pool(allocator, message);
  }

  /**
   * Forward and backward passes of a step.
   *
   * @param actions of all stages
   * @param batches by number in the step
   * @param aims by number in the step
   */
  void train(
      List<List<Action>> actions,
      LongFunction<Microbatch> batches,
      LongFunction<Piece.Aim> aims,
      GradientSum sums,
      Consumer<Timed> trace) {
    new Turn(actions, batches, aims, sums).run(trace);
  }

  /**
   * Forward passes; call it where nothing is recorded.
   *
   * @param count of micro-batches
   */
  void evaluate(int count, LongFunction<Microbatch> batches, LongFunction<Piece.Aim> aims) {
    List<Action> forwards = TrainingSchedule.forwards(chain, count);
    new Turn(Collections.nCopies(chain.stages(), forwards), batches, aims, null).run(t -> {});
  }

  /** The most bytes of temporaries of each flight, all flights together, and of messages. */
  long workspaceBytes() {
    return all.stream().mapToLong(f -> f.ops().workspace().peak()).sum() + pool.bytes();
  }

  /** One run of a schedule. */
  private final class Turn {
    private final List<Action> mine;
    private final LongFunction<Microbatch> batches;
    private final LongFunction<Piece.Aim> aims;
    private final GradientSum sums;
    private final Inbox letters;
    private final Deque<Action> ahead;
    private final Map<Action, Waiting> waiting = new HashMap<>();
    private Optional<Inbox.Letter> letter = Optional.empty();

    /** A micro-batch that has gone forward, by the action that takes it back. */
    private record Waiting(Piece.Trail trail, Optional<Inbox.Letter> input) {}

    /**
     * @param sums null for forward passes alone
     */
    Turn(
        List<List<Action>> actions,
        LongFunction<Microbatch> batches,
        LongFunction<Piece.Aim> aims,
        GradientSum sums) {
      this.mine = actions.get(team.place().pp());
      this.batches = batches;
      this.aims = aims;
      this.sums = sums;
      this.letters = new Inbox(team, chain, actions, pool, a -> shape(a.microBatch()));
      this.ahead = new ArrayDeque<>(mine);
      inbox = Optional.of(letters);
    }

    private Shape shape(long microBatch) {
      int[][] windows = batches.apply(microBatch).windows();
      return pieces.getFirst().message(windows.length, windows[0].length - 1);
    }

    void run(Consumer<Timed> trace) {
      new ScheduleRunner(team.place().pp(), this::ready, this::perform, trace).run(mine);
      inbox = Optional.empty();
    }

    private void ready(Action action) {
      letter = letters.take(action);
      letter.ifPresent(Inbox.Letter::read);
      ahead.remove();
      if (!ahead.isEmpty()) {
        letters.expect(ahead.peek()); // it comes while this one is computed
      }
    }

    private void perform(Action action) {
      switch (action.type()) {
        case FORWARD -> forward(action);
        case BACKWARD -> backward(action);
        case TRAIN -> throw new IllegalStateException("nothing trains alone: " + action);
      }
    }

    private void forward(Action action) {
      Piece piece = pieces.get(action.chunk());
      Flight flight = open();
      flight.begin(batches.apply(action.microBatch()));
      Optional<Tensor> in = letter.map(Inbox.Letter::read);
      if (sums == null) {
        send(action, flight, piece.evaluate(flight, in, aims.apply(action.microBatch())));
        letter.ifPresent(Inbox.Letter::release);
        free.add(flight);
        return;
      }
      Piece.Trail trail = piece.forward(flight, in);
      send(action, flight, trail.out());
      Action back = new Action(ComputationType.BACKWARD, action.microBatch(), action.chunk());
      waiting.put(back, new Waiting(trail, letter));
    }

    private void backward(Action action) {
      Waiting w = waiting.remove(action);
      int m = (int) action.microBatch();
      Optional<Tensor> behind = letter.map(Inbox.Letter::read);
      Optional<Tensor> dx =
          pieces.get(action.chunk()).backward(w.trail, m, behind, aims.apply(m), sums);
      Flight flight = w.trail.flight();
      dx.ifPresent(t -> send(action, flight, t));
      w.input.ifPresent(Inbox.Letter::release);
      letter.ifPresent(Inbox.Letter::release);
      free.add(flight);
    }

    private void send(Action action, Flight flight, Tensor t) {
      chain
          .feeds(new Chain.Step(team.place().pp(), action))
          .ifPresent(to -> flight.sends(team.startSend(Elements.of(t.span()), to.stage())));
    }
  }

  private Flight open() {
    if (free.isEmpty()) {
      free.add(new Flight(device));
      all.add(free.peek());
    }
    return free.remove();
  }

  @Override
  public void close() {
    inbox.ifPresent(Inbox::close);
    all.forEach(Flight::close);
  }
}
