package dev.sortie.eetuning.decode.speculative;

import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;

/**
 * What a {@link DraftSource} sees. The last token of the text was just chosen and not yet read; all
 * before it were. Tensors are valid until the draft is made.
 */
public interface DraftContext {

  /** Tokens of the text, the one just chosen included. */
  int length();

  /** The token at {@code position}, 0 to {@link #length} - 1. */
  int token(int position);

  /** The backbone. */
  Decoder decoder();

  /** Ops whose temporaries are given back after the draft. */
  Ops ops();

  /**
   * Runs the layers below {@link DraftSource#depth} over a token, at first the last of the text,
   * then one draft token after the other. Verification continues from there, so this work is not
   * lost.
   */
  HiddenState descend(int token);

  /**
   * Outputs of layer {@link DraftSource#depth} at positions {@code first .. end - 1}, {@code [1,
   * end - first, C]}; all of the text is there but its last token, which is there, like a draft
   * token, after {@link #descend}.
   */
  Tensor hidden(int first, int end);

  /**
   * Outputs of a layer at positions {@code first .. end - 1}, {@code [1, end - first, C]}; from
   * {@link #featuresFrom} to {@link #length} - 2.
   *
   * @param depth one of {@link DraftSource#features}
   */
  Tensor features(int depth, int first, int end);

  /**
   * First position with outputs of all layers that are {@link DraftSource#features} of some source.
   * Of a prompt only the last token has one of the last layer.
   */
  int featuresFrom();
}
