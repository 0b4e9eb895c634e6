package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.DraftVocabulary;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.eetuning.exit.Lookahead;
import dev.sortie.eetuning.train.TokenLoss;
import dev.sortie.eetuning.train.data.Batch;
import dev.sortie.eetuning.train.data.Microbatch;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The losses of exits under training, from the hidden states that they read. */
final class ExitLosses {
  private final Decoder decoder;
  private final TuneOptions options;
  private final Ops ops;
  private final Workspace workspace;
  private final NativeArena arena;
  private final List<TrainableExit> trainees;
  private final List<Group> groups;
  private final Optional<LookaheadLoss> ahead;

  /**
   * @param ops in whose workspace temporaries live; the caller gives back the memory of each call
   * @param arena for the rows of draft heads
   * @param trainees this rank's exits, the lookahead exit last
   */
  ExitLosses(
      Decoder decoder,
      TuneOptions options,
      Ops ops,
      NativeArena arena,
      List<TrainableExit> trainees,
      Optional<Lookahead> lookahead) {
    this.decoder = decoder;
    this.options = options;
    this.ops = ops;
    this.workspace = ops.workspace();
    this.arena = arena;
    this.trainees = List.copyOf(trainees);
    this.groups = groups();
    this.ahead =
        lookahead.map(
            l ->
                new LookaheadLoss(
                    l, decoder.finalNorm(), teacherHead(l.draft()), options, options.lookahead()));
  }

  /** Exits whose heads cover the same tokens; they share a teacher. */
  private record Group(List<TrainableExit> trainees, Optional<Tensor> teacherHead) {}

  private List<Group> groups() {
    Map<Optional<DraftVocabulary>, List<TrainableExit>> byHead = new LinkedHashMap<>();
    for (TrainableExit t : trainees) {
      if (t.exit().isPresent()) {
        byHead.computeIfAbsent(t.exit().flatMap(Exit::draft), d -> new ArrayList<>()).add(t);
      }
    }
    List<Group> list = new ArrayList<>();
    byHead.forEach((draft, members) -> list.add(new Group(members, teacherHead(draft))));
    return List.copyOf(list);
  }

  /** The backbone's head over the tokens of a draft head, or all of it, where one teaches. */
  private Optional<Tensor> teacherHead(Optional<DraftVocabulary> draft) {
    if (options.objective() != Objective.KL) {
      return Optional.empty();
    }
    Tensor whole = decoder.head().weight();
    return Optional.of(
        draft.map(d -> decoder.sharding().rows(whole, d.ids(), arena)).orElse(whole));
  }

  /** The weights scale the gradients, not the losses that are reported. */
  private Tensor weighted(List<TrainableExit> group, Tensor losses) {
    Tensor weights = ops.empty(losses.dtype(), losses.shape());
    for (int i = 0; i < group.size(); i++) {
      weights.span().set(i, group.get(i).weight());
    }
    return ops.sum(ops.mul(losses, weights));
  }

  /** Takes losses. */
  @FunctionalInterface
  interface User {
    /** Takes the losses of some exits, one number each, and what is minimised for them. */
    void accept(List<TrainableExit> group, Tensor losses, Tensor objective);
  }

  /**
   * The exits' losses on one micro-batch, which {@code user} gets. Cross-entropy goes exit by exit,
   * and temporaries are given back after each; divergences of all exits whose heads cover the same
   * tokens are computed together, for they share the teacher's logits.
   *
   * @param of how many windows the losses are a mean over
   */
  void each(Microbatch batch, Batch tensors, Map<Integer, HiddenState> states, int of, User user) {
    double count = (double) of * tensors.inputs().shape().dim(1);
    for (Group g : groups) {
      if (options.objective() == Objective.KL) {
        try (var _ = workspace.mark()) {
          divergences(g, tensors, states, count, user);
        }
      } else {
        for (TrainableExit t : g.trainees) {
          try (var _ = workspace.mark()) {
            crossEntropy(t, tensors, states, count, user);
          }
        }
      }
    }
    ahead.ifPresent(
        loss -> {
          try (var _ = workspace.mark()) {
            TrainableExit t = trainees.getLast();
            double share = (double) batch.windows().length / of;
            Tensor joined = loss.exit().join(ops, depth -> states.get(depth).x());
            LookaheadLoss.Value v =
                loss.of(ops, batch.windows(), joined, states.get(t.depth()).x(), share);
            user.accept(List.of(t), v.reported(), ops.scale(v.objective(), t.weight()));
          }
        });
  }

  private void divergences(
      Group g, Batch batch, Map<Integer, HiddenState> states, double count, User user) {
    int layers = decoder.config().layers();
    HeadInput teacher =
        NoGrad.call(
            () ->
                new HeadInput(
                    decoder.finalNorm().apply(ops, states.get(layers).x()),
                    g.teacherHead.orElseThrow()));
    List<HeadInput> students = g.trainees.stream().map(t -> branch(t, states)).toList();
    boolean confident = options.confidenceWeights();
    Tensor losses =
        TokenLoss.kl(
            ops,
            g.trainees.getFirst().sharding(),
            students,
            teacher,
            batch.targets(),
            confident,
            count);
    user.accept(g.trainees, losses, weighted(g.trainees, losses));
  }

  private void crossEntropy(
      TrainableExit t, Batch batch, Map<Integer, HiddenState> states, double count, User user) {
    Tensor targets =
        t.exit()
            .flatMap(Exit::draft)
            .map(d -> d.indices(batch.targets(), workspace))
            .orElse(batch.targets());
    boolean confident = options.confidenceWeights();
    Tensor loss =
        TokenLoss.crossEntropy(ops, t.sharding(), branch(t, states), targets, confident, count);
    user.accept(List.of(t), loss, weighted(List.of(t), loss));
  }

  private HeadInput branch(TrainableExit t, Map<Integer, HiddenState> states) {
    HiddenState in = states.get(t.depth());
    return t.exit().orElseThrow().headInput(ops, in.x(), in.a());
  }
}
