package dev.sortie.tensor.autograd;

/**
 * An op that another module defines because it needs what this one does not know, such as a
 * collective among ranks. {@link Ops#apply} runs it. Its module tests its gradient as {@link Op}'s
 * own are tested.
 */
public non-sealed interface ForeignOp extends Op {

  /**
   * Whether the result is the first input itself, element for element in the same memory, and only
   * the vjp does something. {@link #forward} is not called then.
   */
  default boolean isView() {
    return false;
  }
}
