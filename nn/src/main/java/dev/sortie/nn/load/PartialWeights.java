package dev.sortie.nn.load;

import dev.sortie.nn.Slice;
import dev.sortie.nn.SlicedWeights;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Weights of which only some are computed with: the others come from {@code unread}, which leaves
 * them where the file is mapped.
 */
final class PartialWeights implements SlicedWeights {
  private final Predicate<String> needed;
  private final FileWeights read;
  private final FileWeights unread;
  private final Set<String> left = new HashSet<>();

  PartialWeights(Predicate<String> needed, FileWeights read, FileWeights unread) {
    this.needed = needed;
    this.read = read;
    this.unread = unread;
  }

  @Override
  public Tensor get(String name, Shape shape, Role role) {
    return of(name).get(name, shape, role);
  }

  @Override
  public Tensor get(String name, Shape whole, Role role, Slice part) {
    return needed.test(name) ? read.get(name, whole, role, part) : left(name, whole, role, part);
  }

  /**
   * A share of what nobody computes with. One of some columns would have to be copied: as many
   * elements from the tensor's first on stand in for it.
   */
  private Tensor left(String name, Shape whole, Role role, Slice part) {
    Tensor all = of(name).get(name, whole, role);
    Shape shape = part.of(whole);
    boolean standsIn = part.dim() > 0 && shape.count() % all.dtype().block() == 0;
    return standsIn
        ? Tensor.of(all.span().slice(0, shape.count()), shape)
        : of(name).get(name, whole, role, part);
  }

  private FileWeights of(String name) {
    if (needed.test(name)) {
      return read;
    }
    left.add(name);
    return unread;
  }

  /** Names of those that were asked for and are not needed. */
  Set<String> left() {
    return left;
  }
}
