package dev.sortie.eetuning.eval;

import dev.sortie.nn.TopTokens;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.Workspace;

/**
 * Counts the generated tokens that full depth would have chosen at the same place: each is compared
 * with the most likely token after the same prompt and the same tokens before it, so one early
 * difference does not spoil all that follows.
 *
 * @param model the backbone
 * @param device where to compute
 */
public record AgreementCounter(LanguageModel model, Device device) {

  /**
   * Agreeing tokens among {@code tokens[1..]}; the first one comes from the prefill, which is at
   * full depth anyway.
   */
  public int count(int[] prompt, int[] tokens) {
    int[] all = new int[prompt.length + tokens.length];
    System.arraycopy(prompt, 0, all, 0, prompt.length);
    System.arraycopy(tokens, 0, all, prompt.length, tokens.length);
    try (Workspace workspace = new Workspace()) {
      Ops ops = new Ops(device.stepwise(), workspace);
      int[] best = NoGrad.call(() -> argmax(ops, all));
      int agreed = 0;
      for (int i = 1; i < tokens.length; i++) {
        if (best[prompt.length + i - 1] == tokens[i]) {
          agreed++;
        }
      }
      return agreed;
    }
  }

  private int[] argmax(Ops ops, int[] ids) {
    Tensor logits =
        model.decoder().forward(ops, Tensor.ids(ops.workspace(), Shape.of(1, ids.length), ids));
    return TopTokens.of(ops, logits).ids();
  }
}
