package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.eetuning.train.data.Microbatch;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.stage.InFlightMicrobatch;
import dev.sortie.eetuning.train.stage.Stage;
import dev.sortie.nn.model.Decoder;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.parallel.pipeline.Action;
import dev.sortie.parallel.pipeline.ForwardOnly;
import dev.sortie.parallel.pipeline.ScheduleRunner;
import dev.sortie.parallel.pipeline.Timed;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/**
 * One stage's part of the passes. Hidden states come from the stage before and go to the next while
 * this one computes; nothing flows backward but, for {@code kl}, the final hidden states, from
 * which each stage computes the teacher's logits itself: {@code C} numbers per token travel instead
 * of {@code V}.
 */
final class PipelinedPasses implements BackbonePasses {
  private final ProcessGroups groups;
  private final Stage stage;
  private final Decoder decoder;
  private final Device device;
  private final Set<Integer> depths;
  private final Set<Integer> teachers;
  private final LongFunction<Microbatch> stream;
  private final long end;
  private final Consumer<Timed> trace;
  private final List<InFlightMicrobatch> all = new ArrayList<>();
  private final Deque<InFlightMicrobatch> free = new ArrayDeque<>();
  private Stream training;

  /**
   * @param depths where this stage's exits read hidden states, and {@code layers} if they need the
   *     final ones
   * @param teachers the stages to which the last one sends the final hidden states
   * @param stream the training stream of this replica, of {@code end} micro-batches
   */
  PipelinedPasses(
      ProcessGroups groups,
      Stage stage,
      Decoder decoder,
      Device device,
      Set<Integer> depths,
      Set<Integer> teachers,
      LongFunction<Microbatch> stream,
      long end,
      Consumer<Timed> trace) {
    this.groups = groups;
    this.stage = stage;
    this.decoder = decoder;
    this.device = device;
    this.depths = depths;
    this.teachers = teachers;
    this.stream = stream;
    this.end = end;
    this.trace = trace;
  }

  @Override
  public void training(long first, int count, User user) {
    if (training == null) {
      training = new Stream(stream, end, first);
    }
    training.run(first, count, user, trace);
  }

  @Override
  public void heldOut(LongFunction<Microbatch> batches, int count, User user) {
    new Stream(batches, count, 0).run(0, count, user, t -> {});
  }

  /**
   * Micro-batches in order, some of them under way. Messages between two stages arrive in the order
   * in which they are sent, so that a receive is begun only for what is sent before anything else:
   * for all that the stage before forwards until the end of the step.
   */
  private final class Stream {
    private final LongFunction<Microbatch> batches;
    private final ForwardOnly schedule;
    private final Deque<InFlightMicrobatch> inFlight = new ArrayDeque<>();
    private long expected;
    private long forwarded;
    private long trained;
    private long stepEnd;
    private User user;

    Stream(LongFunction<Microbatch> batches, long end, long first) {
      this.batches = batches;
      this.schedule = new ForwardOnly(stage.index(), stage.count(), stage.returns() ? 1 : 0, end);
      this.expected = first;
      this.forwarded = first;
      this.trained = first;
    }

    void run(long first, int count, User taker, Consumer<Timed> times) {
      if (first != trained) {
        throw new IllegalStateException(
            "the pipeline is at micro-batch " + trained + ", not at " + first);
      }
      user = taker;
      stepEnd = first + count;
      expectTeachers();
      new ScheduleRunner(stage.index(), a -> {}, this::perform, times)
          .run(schedule.step(forwarded, first, count));
      while (expected < sent(stepEnd)) {
        expect();
      }
    }

    private void perform(Action action) {
      switch (action.type()) {
        case FORWARD -> forward(action.microBatch());
        case TRAIN -> train(action.microBatch());
        case BACKWARD -> throw new IllegalStateException("the layers are frozen: " + action);
      }
    }

    /** For micro-batches that were forwarded before the step to which they belong. */
    private void expectTeachers() {
      long m = trained;
      for (InFlightMicrobatch f : inFlight) {
        if (m++ < stepEnd) {
          expectTeacher(f);
        }
      }
    }

    /** How many micro-batches the stage before has sent when it has trained on those before m. */
    private long sent(long m) {
      return stage.index() == 0
          ? schedule.forwarded(m)
          : schedule.at(stage.index() - 1).forwarded(m);
    }

    /** Begins to receive the next micro-batch. */
    private void expect() {
      InFlightMicrobatch f = free.isEmpty() ? open() : free.pop();
      f.begin(batches.apply(expected));
      if (stage.index() > 0) {
        Tensor in = f.hidden(decoder);
        Handle handle = groups.startReceive(Elements.of(in.span()), stage.index() - 1);
        f.input(new InFlightMicrobatch.Incoming(in, handle));
      }
      inFlight.add(f);
      expected++;
    }

    private InFlightMicrobatch open() {
      InFlightMicrobatch f = new InFlightMicrobatch(device);
      all.add(f);
      return f;
    }

    private void forward(long m) {
      while (expected < Math.min(m + 2, sent(stepEnd))) {
        expect(); // the next one comes while this one is computed
      }
      InFlightMicrobatch f = inFlight(m);
      NoGrad.run(() -> compute(f));
      forwarded++;
      if (m < stepEnd) {
        expectTeacher(f);
      }
    }

    private InFlightMicrobatch inFlight(long m) {
      return inFlight.stream().skip(m - trained).findFirst().orElseThrow();
    }

    private void compute(InFlightMicrobatch f) {
      Ops ops = f.ops();
      Decoder.Tap tap =
          new Decoder.Tap() {
            @Override
            public void see(int depth, Tensor a, Tensor x) {
              if (keeps(depth)) {
                f.states().put(depth, new HiddenState(x, a));
              }
            }

            @Override
            public boolean keeps(int depth) {
              return depths.contains(depth) || depth == stage.to();
            }
          };
      Tensor in = stage.index() == 0 ? decoder.begin(ops, f.tensors().inputs()) : f.input().await();
      Tensor out = decoder.advance(ops, in, stage.from(), stage.to(), tap);
      Elements data = Elements.of(out.span());
      if (!stage.isLast()) {
        f.sends(groups.startSend(data, stage.index() + 1));
      } else {
        teachers.forEach(to -> f.sends(groups.startSend(data, to)));
      }
    }

    /** Begins to receive the final hidden states, if this stage's exits need them. */
    private void expectTeacher(InFlightMicrobatch f) {
      if (!stage.isLast() && teachers.contains(stage.index()) && f.last() == null) {
        Tensor x = f.hidden(decoder);
        Handle handle = groups.startReceive(Elements.of(x.span()), stage.count() - 1);
        f.last(new InFlightMicrobatch.Incoming(x, handle));
      }
    }

    private void train(long m) {
      InFlightMicrobatch f = inFlight.remove();
      trained++;
      if (f.last() != null) {
        Tensor x = f.last().await();
        f.states().put(decoder.config().layers(), new HiddenState(x, x));
      }
      user.take(m, f.batch(), f.tensors(), f.states());
      free.add(f);
    }
  }

  @Override
  public long workspaceBytes() {
    return all.stream().mapToLong(f -> f.ops().workspace().peak()).sum();
  }

  @Override
  public void close() {
    all.forEach(InFlightMicrobatch::close);
  }
}
