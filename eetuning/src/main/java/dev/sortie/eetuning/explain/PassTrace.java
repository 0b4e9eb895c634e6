package dev.sortie.eetuning.explain;

import dev.sortie.eetuning.explain.WeightNames.Named;
import dev.sortie.tensor.kernel.KernelCall;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.ObservedKernels;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Tells the kernels of a pass apart by part of the model. A pass begins with the embedding. A layer
 * begins where a weight of it is read, and in a pass it reads each of its weights once: a product
 * with another weight, or a weight that it has read already, which an exit borrows, is the
 * beginning of a head. Whose head it was is known when its exit has been asked, or at the end of
 * the pass.
 */
final class PassTrace implements ObservedKernels.Observer {
  private final WeightNames names;
  private final List<PartRun> parts = new ArrayList<>();

  /** Weights that the newest layer has read. */
  private final Set<Span> read = new HashSet<>();

  private boolean records;

  /** Null where nothing has run yet, and after an exit that was asked. */
  private List<KernelUse> current;

  /** Whose they are; null of a head before that is known. */
  private ModelPart part;

  PassTrace(WeightNames names) {
    this.names = names;
  }

  /** What {@code pass} runs. */
  <T> Pass<T> record(Supplier<T> pass) {
    parts.clear();
    read.clear();
    begin(ModelPart.EMBEDDING);
    records = true;
    try {
      T result = pass.get();
      end(ModelPart.FINAL);
      return new Pass<>(result, List.copyOf(parts));
    } finally {
      records = false;
    }
  }

  /**
   * A pass and what came of it.
   *
   * @param parts that ran, in order
   */
  record Pass<T>(T result, List<PartRun> parts) {}

  /** What {@code body} runs is no part of the pass. */
  <T> T unseen(Supplier<T> body) {
    boolean before = records;
    records = false;
    try {
      return body.get();
    } finally {
      records = before;
    }
  }

  /** An exit has answered: the head that ran last was its. */
  void asked(int depth) {
    end(ModelPart.exit(depth));
  }

  @Override
  public void ran(KernelCall asked, KernelCall ran, long nanos) {
    if (!records) {
      return;
    }
    List<Span> spans = asked.reads();
    List<Named> weights = spans.stream().flatMap(s -> names.at(s).stream()).toList();
    Optional<ModelPart> layer =
        weights.stream()
            .filter(w -> w.part().isLayer() && !read.contains(w.tensor().span()))
            .map(Named::part)
            .findFirst();
    if (layer.isPresent()) {
      enter(layer.get());
      weights.forEach(w -> read.add(w.tensor().span()));
    } else if (isOfHead(asked, weights)) {
      enterHead(weights);
    }
    if (current == null) {
      begin(null);
    }
    current.add(KernelUse.of(asked, ran, nanos, names));
  }

  private boolean isOfHead(KernelCall asked, List<Named> weights) {
    boolean gathers = asked instanceof MatrixCall.GatherRows;
    boolean shared = weights.stream().anyMatch(w -> w.part().equals(ModelPart.SHARED));
    return !gathers && !shared && (!weights.isEmpty() || asked instanceof MatrixCall);
  }

  private void enter(ModelPart layer) {
    if (!layer.equals(part)) {
      end(ModelPart.FINAL);
      begin(layer);
      read.clear();
    }
  }

  private void enterHead(List<Named> weights) {
    ModelPart named =
        weights.stream()
            .map(Named::part)
            .filter(p -> p.kind() == ModelPart.Kind.EXIT)
            .findFirst()
            .orElse(null);
    boolean inHead = current != null && (part == null || part.kind() == ModelPart.Kind.EXIT);
    if (!inHead) {
      end(ModelPart.FINAL);
      begin(named);
    } else if (part == null) {
      part = named;
    }
  }

  private void begin(ModelPart of) {
    current = new ArrayList<>();
    part = of;
  }

  /** Closes what runs, a head as {@code head}. */
  private void end(ModelPart head) {
    if (current != null) {
      parts.add(new PartRun(part == null ? head : part, List.copyOf(current)));
    }
    current = null;
    part = null;
  }
}
