package dev.sortie.nn.family;

import dev.sortie.nn.RopeScaling;
import dev.sortie.nn.model.DecoderSwitches;
import dev.sortie.nn.model.DecoderSwitches.Activation;
import dev.sortie.nn.model.DecoderSwitches.LayerKind;
import dev.sortie.nn.model.DecoderSwitches.NormKind;
import dev.sortie.nn.model.DecoderSwitches.QueryKeyNorm;
import dev.sortie.nn.model.DecoderSwitches.Residual;
import dev.sortie.nn.model.LayerCycle;
import dev.sortie.nn.model.SharedBases;
import java.util.List;

/** {@link DecoderSwitches} on their way from a file: those of Llama until they are changed. */
final class SwitchesBuilder {
  NormKind norm = NormKind.RMS;
  Residual residual = Residual.PRE_NORM;
  Activation activation = Activation.SILU;
  boolean gated = true;
  QueryKeyNorm queryKeyNorm = QueryKeyNorm.NONE;
  boolean outputBias;
  boolean learnedPositions;
  double embeddingScale = 1;

  /** 0 for the usual one. */
  double attentionScale;

  /** 0 for all elements of a head. */
  int rotary;

  RopeScaling scaling = RopeScaling.NONE;
  double localTheta = 10_000;
  List<LayerKind> layers = List.of();
  LayerCycle cycle = LayerCycle.NONE;

  DecoderSwitches build(int headSize) {
    int rotated = rotary == 0 ? headSize : rotary;
    return new DecoderSwitches(
        norm,
        residual,
        activation,
        gated,
        queryKeyNorm,
        outputBias,
        learnedPositions,
        embeddingScale,
        attentionScale == 0 ? 1 / Math.sqrt(headSize) : attentionScale,
        learnedPositions ? 2 : rotated,
        scaling,
        localTheta,
        layers,
        SharedBases.NONE,
        cycle);
  }
}
