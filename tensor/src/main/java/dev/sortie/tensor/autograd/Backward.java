package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reverse mode: walks the graph once from its results to the parameters, in the reverse of a fixed
 * topological order, so that sums have the same order every time. Gradients of parameters are added
 * to a {@link Gradients} table; those of temporaries live in the given memory, and once an op has
 * read the gradient of its output, the next one of that size takes its place.
 */
public final class Backward {
  private final Kernels kernels;
  private final Allocator memory;
  private final Gradients parameters;
  private final Map<Node, Tensor> temporaries = new IdentityHashMap<>();
  private final SpareMemory spare = new SpareMemory();

  private Backward(Kernels kernels, Allocator memory, Gradients parameters) {
    this.kernels = kernels;
    this.memory = memory;
    this.parameters = parameters;
  }

  /**
   * Adds {@code d loss / d p} to the gradient of every parameter p that the loss depends on.
   *
   * @param loss a scalar
   * @param memory for gradients of temporaries, given back by the caller
   * @throws IllegalArgumentException if the loss is no scalar or depends on no parameter
   */
  public static void run(Kernels kernels, Allocator memory, Tensor loss, Gradients parameters) {
    if (loss.shape().count() != 1) {
      throw new IllegalArgumentException(
          "backward starts from one number, the loss has shape " + loss.shape());
    }
    run(kernels, memory, List.of(Seed.of(memory, loss, 1)), parameters);
  }

  /**
   * A result of a graph and the gradient of it that comes from elsewhere.
   *
   * @param result what some op produced
   * @param gradient of its type and shape; the pass may overwrite it
   */
  public record Seed(Tensor result, Tensor gradient) {
    public Seed {
      if (Node.of(result).isEmpty()) {
        throw new IllegalArgumentException("the loss depends on no parameter");
      }
      if (!gradient.shape().equals(result.shape()) || gradient.dtype() != result.dtype()) {
        throw new IllegalArgumentException(gradient + " is no gradient of " + result);
      }
    }

    /** A scalar that counts {@code weight} times in what is minimised. */
    public static Seed of(Allocator memory, Tensor scalar, double weight) {
      Tensor gradient = Tensor.allocate(memory, scalar.dtype(), scalar.shape());
      gradient.span().set(0, weight);
      return new Seed(scalar, gradient);
    }
  }

  /**
   * Adds the gradients of parameters of a graph with several results, of which each has a gradient
   * already: what backward passes of pieces of a chain are made of. The sums have an order that
   * depends on the graph and on the order of the seeds.
   *
   * @param seeds of different results
   * @param memory for gradients of temporaries, given back by the caller
   */
  public static void run(
      Kernels kernels, Allocator memory, List<Seed> seeds, Gradients parameters) {
    new Backward(kernels, memory, parameters).walk(seeds);
  }

  private void walk(List<Seed> seeds) {
    for (Seed seed : seeds) {
      Node root = Node.of(seed.result).orElseThrow();
      if (temporaries.putIfAbsent(root, seed.gradient) != null) {
        throw new IllegalArgumentException("two seeds of one result " + seed.result);
      }
    }
    List<Node> order =
        topological(seeds.stream().map(s -> Node.of(s.result).orElseThrow()).toList());
    for (int i = order.size() - 1; i >= 0; i--) {
      Node node = order.get(i);
      Tensor dy = temporaries.remove(node);
      if (dy != null) {
        NodeSink sink = new NodeSink(node);
        node.op().vjp(kernels, node, dy, sink);
        sink.addWritten();
        if (!sink.passed) {
          spare.give(dy.span());
        }
      }
    }
  }

  /**
   * Every node after all nodes it reads from; depth first without recursion, for graphs are deep.
   */
  private static List<Node> topological(List<Node> roots) {
    List<Node> order = new ArrayList<>();
    Map<Node, Boolean> seen = new IdentityHashMap<>();
    Deque<Node> stack = new ArrayDeque<>();
    roots.reversed().forEach(stack::push);
    while (!stack.isEmpty()) {
      Node n = stack.peek();
      if (seen.putIfAbsent(n, false) == null) {
        for (Tensor in : n.inputs()) {
          Node.of(in).filter(m -> !seen.containsKey(m)).ifPresent(stack::push);
        }
      } else {
        stack.pop();
        if (!seen.put(n, true)) {
          order.add(n);
        }
      }
    }
    return order;
  }

  /** What a vjp wrote next to the gradient that it shall be added to, null if it is unwanted. */
  private record Written(Span from, Span to) {}

  private final class NodeSink implements Sink {
    private final Node node;
    private final List<Written> written = new ArrayList<>();
    private boolean passed;

    NodeSink(Node node) {
      this.node = node;
    }

    @Override
    public boolean wants(int i) {
      Tensor x = node.inputs().get(i);
      return x.isParameter() ? parameters.has(x) : Node.of(x).isPresent();
    }

    @Override
    public Span add(int i) {
      if (!wants(i)) {
        return null;
      }
      Target t = target(i);
      if (!t.accumulate()) {
        kernels.fill(t.span(), 0);
      }
      return t.span();
    }

    @Override
    public Span write(int i) {
      Tensor x = node.inputs().get(i);
      Target t = wants(i) ? target(i) : null;
      if (t != null && !t.accumulate()) {
        return t.span();
      }
      Span separate = spare.take(memory, node.output().dtype(), x.shape().count());
      written.add(new Written(separate, t == null ? null : t.span()));
      return separate;
    }

    private void addWritten() {
      for (Written w : written) {
        if (w.to != null) {
          kernels.axpy(1, w.from, w.to);
        }
        spare.give(w.from);
      }
    }

    @Override
    public void pass(int i, Tensor dy) {
      Tensor x = node.inputs().get(i);
      Node producer = Node.of(x).orElse(null);
      if (producer != null && temporaries.putIfAbsent(producer, dy) == null) {
        passed = true;
        return;
      }
      Target t = target(i);
      if (t.accumulate()) {
        kernels.axpy(1, dy.span(), t.span());
      } else {
        kernels.copy(dy.span(), t.span());
      }
    }

    @Override
    public Target target(int i) {
      Tensor x = node.inputs().get(i);
      if (x.isParameter()) {
        return parameters.target(x);
      }
      Node producer = Node.of(x).orElseThrow();
      Tensor g = temporaries.get(producer);
      boolean first = g == null;
      if (first) {
        g = Tensor.of(spare.take(memory, x.dtype(), x.shape().count()), x.shape());
        temporaries.put(producer, g);
      }
      return new Target(g.span(), !first);
    }
  }
}
