package dev.sortie.parallel.comm.message;

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
public record CallFingerprint(
    Operation operation,
    ElementType type,
    Algorithm algorithm,
    Order order,
    int root,
    int group,
    long count,
    long sequence) {

  /** Of a collective call. */
  public static CallFingerprint of(Collective call, Algorithm algorithm, int group, long sequence) {
    return new CallFingerprint(
        call.operation(),
        call.type(),
        algorithm,
        call.order(),
        call.root(),
        group,
        call.count(),
        sequence);
  }

  /** Of a message from one member to another. */
  public static CallFingerprint ofMessage(ElementType type, int group, long count, long sequence) {
    return new CallFingerprint(
        Operation.MESSAGE,
        type,
        Algorithm.POINT_TO_POINT,
        Order.ASCENDING,
        -1,
        group,
        count,
        sequence);
  }

  /** Such as {@code all-reduce of 12 F32 by ring (call 3)}. */
  public String describe() {
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
