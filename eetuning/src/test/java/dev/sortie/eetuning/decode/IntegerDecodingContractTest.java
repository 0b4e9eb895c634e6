package dev.sortie.eetuning.decode;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.load.Arithmetic;
import org.junit.jupiter.api.BeforeAll;

/** The same promises for a model in blocks whose products are computed in integers. */
class IntegerDecodingContractTest extends DecodingStrategyContractTest {

  @BeforeAll
  static void load() {
    ways = DecodingWays.inIntegers(folder);
    assertThat(ways.arithmetic()).isEqualTo(Arithmetic.INTEGER);
  }
}
