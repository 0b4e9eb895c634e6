package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.Operation;
import dev.sortie.parallel.comm.Order;

/**
 * What all members must agree on in one call. It travels in front of every message.
 *
 * @param operation kind of call
 * @param type of the elements
 * @param algorithm that carries it out
 * @param order of summation
 * @param root or -1
 * @param group a hash of the communicator's name and members
 * @param count of elements; -1 matches any, for barriers and the like
 * @param sequence number of the call on this communicator, from 1
 */
record Fingerprint(
    Operation operation,
    ElementType type,
    Algorithm algorithm,
    Order order,
    int root,
    int group,
    long count,
    long sequence) {

  static Fingerprint of(Collective call, Algorithm algorithm, int group, long sequence) {
    return new Fingerprint(
        call.operation(),
        call.type(),
        algorithm,
        call.order(),
        call.root(),
        group,
        call.count(),
        sequence);
  }

  /** Such as {@code all-reduce of 12 F32 by ring (call 3)}. */
  String describe() {
    StringBuilder text = new StringBuilder(operation.label());
    if (operation != Operation.BARRIER) {
      text.append(" of ").append(count).append(' ').append(type);
    }
    if (root >= 0) {
      text.append(", root ").append(root);
    }
    if (order == Order.ANY) {
      text.append(", in any order");
    }
    return text.append(" by ")
        .append(algorithm.label())
        .append(" (call ")
        .append(sequence)
        .append(" of group %08x)".formatted(group))
        .toString();
  }
}
