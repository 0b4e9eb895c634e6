package dev.sortie.eetuning.exit;

import dev.sortie.nn.Sharding;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.nn.model.LayerWeights;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Strided;
import dev.sortie.tensor.memory.NativeArena;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/**
 * What a part of a model takes per token, counted from the tensors that its modules ask for.
 *
 * @param weights elements of its matrices: multiplications of a forward pass, and the weights that
 *     decoding reads
 * @param attention width of its queries; 0 where it does not attend
 * @param frozen multiplications that its backward pass is spared where the backbone is frozen
 */
public record TokenWork(long weights, long attention, long frozen) {

  /** A layer of the backbone. */
  public static TokenWork ofLayer(DecoderConfig c) {
    try (Count count = new Count()) {
      int last = c.layers() - 1;
      DecoderLayer.of(c, last, new LayerWeights(c, last, count, new HashMap<>()));
      return new TokenWork(count.matrices(), queries(c), 0);
    }
  }

  /** An exit of this architecture without its head. */
  public static TokenWork of(ExitArchitecture architecture, DecoderConfig c) {
    try (Count count = new Count()) {
      ExitBranch branch = architecture.branch(c, count, Sharding.NONE);
      return new TokenWork(
          count.matrices(),
          branch.layer().isPresent() ? queries(c) : 0,
          branch.projectsFrozenInput() ? count.of(Weights.Role.INPUT_PROJECTION) : 0);
    }
  }

  /** An exit without its head. */
  public static TokenWork of(ExitOutline e, DecoderConfig c) {
    return e.architecture().map(a -> of(a, c)).orElseGet(() -> ofLookahead(e, c));
  }

  private static TokenWork ofLookahead(ExitOutline e, DecoderConfig c) {
    try (Count count = new Count()) {
      Lookahead.Modules.of(c, e.features(), count, Sharding.NONE);
      return new TokenWork(count.matrices(), queries(c), 0);
    }
  }

  private static long queries(DecoderConfig c) {
    return (long) c.heads() * c.headSize();
  }

  /** Multiplications forward; causal attention reads half of the sequence on average. */
  public double forward(int length) {
    return weights + (double) length * attention;
  }

  /** Gives tensors without memory, one element that is repeated, and counts what they would be. */
  private static final class Count implements Weights, AutoCloseable {
    private final Map<Role, Long> elements = new EnumMap<>(Role.class);
    private final NativeArena arena = new NativeArena("shapes");
    private final Tensor element = Tensor.allocate(arena, DType.F32, Shape.of(1));

    @Override
    public Tensor get(String name, Shape shape, Role role) {
      elements.merge(role, shape.count(), Long::sum);
      return element.view(shape, 0, new Strided(shape.dims(), new long[shape.rank()]));
    }

    long of(Role role) {
      return elements.getOrDefault(role, 0L);
    }

    long matrices() {
      return of(Role.INPUT_PROJECTION) + of(Role.OUTPUT_PROJECTION);
    }

    @Override
    public void close() {
      arena.close();
    }
  }
}
