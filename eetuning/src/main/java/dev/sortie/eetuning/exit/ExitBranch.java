package dev.sortie.eetuning.exit;

import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.Optional;

/** The modules of an exit in front of its head. One class per {@link ExitArchitecture}. */
interface ExitBranch {
  /**
   * What the head reads, {@code [.., C]}.
   *
   * @param x output of the backbone's layer at the exit's depth, or of {@link #layer} where there
   *     is one, {@code [.., C]}
   * @param a residual after the attention of the backbone's layer, {@code [.., C]}
   * @param below the backbone's layer at the exit's depth
   */
  Tensor apply(Ops ops, Tensor x, Tensor a, DecoderLayer below);

  /** Whether {@link #apply} reads {@code a}: only then is it kept. */
  default boolean readsResidual() {
    return false;
  }

  /**
   * A layer that runs before {@link #apply} and attends to the tokens before, so that decoding
   * keeps keys and values for it.
   */
  default Optional<DecoderLayer> layer() {
    return Optional.empty();
  }

  /**
   * Whether the input projections read the backbone with no trained module between, so that no
   * gradient of their input is computed where the backbone is frozen.
   */
  default boolean projectsFrozenInput() {
    return false;
  }
}
