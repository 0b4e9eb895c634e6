package dev.sortie.tensor.kernel;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.List;

/**
 * A call of a kernel as data. Its constructor checks types, lengths, ids and what may be missing,
 * once for all kernel sets: a set that carries out a call stays inside the operands and checks
 * nothing again. What a call computes is described where {@link Kernels} makes it.
 *
 * <p>Lists of operands are not copied. Ids are checked when the call is made, so a call is carried
 * out before anything else changes them.
 */
public sealed interface KernelCall
    permits ElementwiseCall,
        MatrixCall,
        NormCall,
        AttentionCall,
        ActivationCall,
        LossCall,
        AdamWCall.Step {

  /** The name of the kernel, such as {@code rmsNorm}. */
  default String name() {
    String type = getClass().getSimpleName();
    return Character.toLowerCase(type.charAt(0)) + type.substring(1);
  }

  /**
   * The type that the call computes in: F32, or F64 where all operands are, except that weights may
   * be narrower. Fills and copies have the type of their result, whatever that is.
   */
  DType dtype();

  /** The same call on the operands that {@code binding} gives for these. */
  KernelCall bind(Binding binding);

  /** What a kernel does to an operand. A missing operand, null, is mapped to null. */
  interface Binding {
    /** An operand that is read. */
    Span read(Span span);

    /** An operand that is read and changed. */
    Span update(Span span);

    /** An operand that is set. Elements that the call does not cover stay as they are. */
    Span write(Span span);
  }

  /** The operands that the call reads, those that it changes among them. */
  default List<Span> reads() {
    return operands(true, false);
  }

  /** The operands that the call sets or changes. */
  default List<Span> writes() {
    return operands(false, true);
  }

  private List<Span> operands(boolean reads, boolean writes) {
    List<Span> spans = new ArrayList<>();
    bind(
        new Binding() {
          private Span add(Span span, boolean wanted) {
            if (wanted && span != null) {
              spans.add(span);
            }
            return span;
          }

          @Override
          public Span read(Span span) {
            return add(span, reads);
          }

          @Override
          public Span update(Span span) {
            return add(span, true);
          }

          @Override
          public Span write(Span span) {
            return add(span, writes);
          }
        });
    return spans;
  }
}
