package dev.sortie.nn.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class StageTensorsContractTest {
  private static final List<String> TENSORS =
      List.of(
          "model.embed_tokens.weight",
          "model.embed_positions.weight",
          "model.layers.1.mlp.up_proj.weight",
          "model.layers.2.mlp.up_proj.weight",
          "model.layers.10.mlp.up_proj.weight",
          "model.norm.weight",
          "model.norm.bias",
          "lm_head.weight");

  private static List<String> needed(
      boolean embeds, boolean normalises, boolean readsHead, boolean tiedHead) {
    var stage = new StageTensors(2, 10, embeds, normalises, readsHead, tiedHead);
    return TENSORS.stream().filter(stage).toList();
  }

  @Test
  void aStageInTheMiddleHasItsLayersAlone() {
    assertThat(needed(false, false, false, true))
        .containsExactly("model.layers.2.mlp.up_proj.weight");
  }

  @Test
  void idsNeedBothTablesAndATiedHeadOneOfThem() {
    assertThat(needed(true, false, false, false))
        .containsExactly(TENSORS.get(0), TENSORS.get(1), TENSORS.get(3));
    assertThat(needed(false, false, true, true))
        .containsExactly(TENSORS.get(0), TENSORS.get(3), "lm_head.weight");
  }

  @Test
  void theFinalNormAndTheHeadAreNeededApart() {
    assertThat(needed(false, true, false, false))
        .containsExactly(TENSORS.get(3), "model.norm.weight", "model.norm.bias");
    assertThat(needed(false, false, true, false)).containsExactly(TENSORS.get(3), "lm_head.weight");
  }
}
