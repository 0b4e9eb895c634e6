package dev.sortie.nn.model;

import dev.sortie.nn.Part;
import dev.sortie.nn.PartWeights;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Weights of which only some are computed with: the others come from {@code unread}, which leaves
 * them where the file is mapped.
 */
final class NeededWeights implements PartWeights {
  private final Predicate<String> needed;
  private final FileWeights read;
  private final FileWeights unread;
  private final Set<String> left = new HashSet<>();

  NeededWeights(Predicate<String> needed, FileWeights read, FileWeights unread) {
    this.needed = needed;
    this.read = read;
    this.unread = unread;
  }

  @Override
  public Tensor get(String name, Shape shape, Role role) {
    return of(name).get(name, shape, role);
  }

  @Override
  public Tensor get(String name, Shape whole, Role role, Part part) {
    return of(name).get(name, whole, role, part);
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
