package dev.sortie.eetuning.exit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.model.DecoderConfig;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Work is counted from the matrices that modules ask for: what the formulas of papers give. */
@Tag("any-kernels")
class TokenWorkContractTest {
  private static final long HIDDEN = 64;
  private static final long FFN = 176;
  private static final long QUERIES = 4 * 16;
  private static final long KEYS = 2 * 16;
  private static final long MLP = 3 * HIDDEN * FFN;
  private static final long LAYER = MLP + 2 * HIDDEN * (QUERIES + KEYS);
  private static final DecoderConfig CONFIG =
      new DecoderConfig(
          5, (int) HIDDEN, 4, 2, 16, (int) FFN, 600, 32, 1e-5, 1e4, true, true, true, false);

  @Test
  void aLayerMultipliesItsMatricesAndAttends() {
    TokenWork work = TokenWork.ofLayer(CONFIG);
    assertThat(work).isEqualTo(new TokenWork(LAYER, QUERIES, 0));
    assertThat(work.forward(32)).isEqualTo(LAYER + 32 * QUERIES);
  }

  @Test
  void eachArchitectureHasItsOwn() {
    for (ExitArchitecture a : ExitArchitecture.values()) {
      TokenWork expected =
          switch (a) {
            case EMBEDDING, NORM -> new TokenWork(0, 0, 0);
            // gate and up read the frozen backbone through a frozen norm
            case MLP -> new TokenWork(MLP, 0, 2 * HIDDEN * FFN);
            case LAYER -> new TokenWork(LAYER, QUERIES, 0);
          };
      assertThat(TokenWork.of(a, CONFIG)).as(a.word()).isEqualTo(expected);
    }
  }

  @Test
  void theLookaheadExitHasTwoProjectionsAndALayer() {
    ExitOutline lookahead = new ExitOutline(5, Optional.empty(), true, 0);
    TokenWork expected = new TokenWork(LAYER + 2 * HIDDEN * HIDDEN, QUERIES, 0);
    assertThat(TokenWork.of(lookahead, CONFIG)).isEqualTo(expected);
  }
}
