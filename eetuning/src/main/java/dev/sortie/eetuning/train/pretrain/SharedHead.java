package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.parallel.pipeline.Chain;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The matrix of the backbone's head, which several chunks of the chain may use: the final head,
 * exits without heads of their own and, where it is tied, the embedding. Each use has a gradient of
 * its own over a step; these are added from the last chunk to the first, {@code ((final + exit₂) +
 * exit₁) + embedding}, whoever holds them, so that every layout gives the same bits. The rank of
 * the last summand owns the matrix: it alone has its optimiser state and its place in checkpoints,
 * and sends it to the others after each update. That is one sum and one copy a step, and the last
 * stage, whose backward pass ends first, sends while the others still compute.
 */
final class SharedHead implements AutoCloseable {
  private final ProcessGroups groups;
  private final Tensor matrix;
  private final List<Use> uses = new ArrayList<>();
  private final Map<Integer, Tensor> leaves = new LinkedHashMap<>();
  private final List<Handle> sends = new ArrayList<>();

  /** A use by the stage that has it; depth -1 is the embedding. */
  private record Use(int depth, int stage) {}

  private static final int EMBEDDING = -1;

  /**
   * @param model of which this rank holds the matrix if a use is here
   */
  SharedHead(ProcessGroups groups, PretrainModel model, PretrainPlan plan, Chain chain) {
    this.groups = groups;
    this.matrix = model.decoder().head().weight();
    int layers = model.decoder().config().layers();
    boolean tied = model.decoder().config().tiedHead();
    int last = (chain.length() - 1) % chain.stages();
    if (tied) {
      uses.add(new Use(layers, last));
    }
    for (Exit e : model.exits().reversed()) {
      if (!e.spec().ownHead()) {
        uses.add(new Use(e.depth(), plan.position(e.spec()) % chain.stages()));
      }
    }
    uses.add(tied ? new Use(EMBEDDING, 0) : new Use(layers, last));
    for (Use use : uses) {
      if (use.stage == groups.coordinates().pp()) {
        leaves.put(use.depth, use == uses.getLast() ? matrix : matrix.asParameter());
      }
    }
  }

  /** The matrix as the head at a depth reads it, the number of layers for the final one. */
  Tensor at(int depth) {
    return leaves.get(depth);
  }

  /** Whether the head at a depth reads it. */
  boolean isRead(int depth) {
    return leaves.containsKey(depth);
  }

  /** The stage that updates and saves it. */
  int owner() {
    return uses.getLast().stage;
  }

  /**
   * Adds up the gradients of all uses, into that of the owner's matrix. A call of all stages, after
   * their gradients of a step are whole.
   */
  void sum(Kernels kernels, Gradients gradients, Workspace workspace) {
    for (int i = 1; i < uses.size(); i++) {
      Use from = uses.get(i - 1);
      Use to = uses.get(i);
      int here = groups.coordinates().pp();
      if (from.stage == here && to.stage == here) {
        add(kernels, gradients.of(at(from.depth)), gradients.of(at(to.depth)));
      } else if (from.stage == here) {
        groups.startSend(Elements.of(gradients.of(at(from.depth)).span()), to.stage).await();
      } else if (to.stage == here) {
        try (var _ = workspace.mark()) {
          Tensor sum = Tensor.allocate(workspace, matrix.dtype(), matrix.shape());
          groups.startReceive(Elements.of(sum.span()), from.stage).await();
          add(kernels, sum, gradients.of(at(to.depth)));
        }
      }
    }
  }

  private static void add(Kernels kernels, Tensor sum, Tensor to) {
    kernels.axpy(1, sum.span(), to.span());
  }

  /** Waits until the others have the matrix: before the owner changes it. */
  void settle() {
    sends.forEach(Handle::await);
    sends.clear();
  }

  /** The owner sends the matrix to the other stages that use it. A call of all stages. */
  void publish() {
    int here = groups.coordinates().pp();
    Set<Integer> others = new LinkedHashSet<>();
    uses.forEach(u -> others.add(u.stage));
    others.remove(owner());
    if (here == owner()) {
      others.forEach(s -> sends.add(groups.startSend(Elements.of(matrix.span()), s)));
    } else if (others.contains(here)) {
      groups.startReceive(Elements.of(matrix.span()), owner()).await();
    }
  }

  @Override
  public void close() {
    ProcessGroups.settle(sends);
  }
}
