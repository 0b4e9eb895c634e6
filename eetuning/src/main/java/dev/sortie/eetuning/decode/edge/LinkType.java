package dev.sortie.eetuning.decode.edge;

import dev.sortie.nn.InputException;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;

/** The type in which hidden states travel; only in {@link #F32} do they arrive with all bits. */
public enum LinkType {
  F32(DType.F32),
  BF16(DType.BF16),
  /** Blocks of 32 elements in 8 bits with a scale in F16: 8.5 bits per element. */
  Q8_0(DType.Q8_0);

  private final DType type;

  LinkType(DType type) {
    this.type = type;
  }

  /** As a user writes it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Bytes of one state. */
  int bytes(int hidden) {
    return (int) type.bytes(hidden);
  }

  /**
   * Fails unless states of this width can travel so.
   *
   * @param hidden elements of a state
   */
  public void check(int hidden) {
    if (hidden % type.block() != 0) {
      throw new InputException(
          "--link-type %s: the model's width %d is no multiple of %d; take f32 or bf16"
              .formatted(word(), hidden, type.block()));
    }
  }

  /** States {@code [.., C]} as bytes, row after row. */
  byte[] encode(Ops ops, Tensor states) {
    Tensor sent = type == states.dtype() ? states : ops.convert(states, type);
    return sent.span().readOnly().toArray(ValueLayout.JAVA_BYTE);
  }

  /** The reverse, {@code [1, rows, hidden]} in F32. */
  Tensor decode(Ops ops, byte[] bytes, int rows, int hidden) {
    Tensor sent = ops.empty(type, Shape.of(1, rows, hidden));
    sent.span().segment().copyFrom(MemorySegment.ofArray(bytes));
    return type == DType.F32 ? sent : ops.convert(sent, DType.F32);
  }
}
