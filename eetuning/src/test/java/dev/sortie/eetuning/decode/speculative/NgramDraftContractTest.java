package dev.sortie.eetuning.decode.speculative;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.exit.NgramTable;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class NgramDraftContractTest {
  /** 1 2 3 4 5 ten times, and 9 before one of several. */
  private static final NgramTable TABLE = NgramTable.count(text());

  private static int[] text() {
    int[] text = new int[70];
    Arrays.setAll(text, i -> i < 50 ? 1 + i % 5 : i % 2 == 0 ? 9 : 20 + i % 7);
    return text;
  }

  private static Draft draft(int max, int... text) {
    return new NgramDraft(TABLE).draft(new TextAlone().with(text), max);
  }

  @Test
  void aDraftFollowsTheTableFromTokenToToken() {
    assertThat(draft(7, 1, 2).tokens()).containsExactly(3, 4, 5, 1, 2, 3, 4);
    assertThat(draft(2, 8, 2).tokens()).containsExactly(3, 4); // 2 alone
    assertThat(draft(3, 2).tokens()).containsExactly(3, 4, 5);
  }

  @Test
  void whatTheTableDoesNotKnowGivesNoDraft() {
    assertThat(draft(5, 8).length()).isZero();
    assertThat(draft(5, 1, 8).length()).isZero();
  }

  @Test
  void anUnlikelyTokenIsDraftedFirstAndNotLater() {
    int often = draft(5, 1, 2).kind();
    Draft seldom = draft(5, 9);
    assertThat(seldom.length()).isPositive();
    assertThat(seldom.kind()).isLessThan(often);
    int[] leads = new int[60];
    Arrays.setAll(leads, i -> i % 3 == 0 ? 7 : i % 3 == 1 ? 9 : 20 + i % 5);
    Draft cut = new NgramDraft(NgramTable.count(leads)).draft(new TextAlone().with(7), 5);
    assertThat(cut.tokens()).containsExactly(9);
  }

  @Test
  void kindsRiseWithTheProbabilityAndSoDoPriors() {
    NgramDraft source = new NgramDraft(TABLE);
    for (int kind = 1; kind < Draft.KINDS; kind++) {
      assertThat(source.prior(kind, 0)).isGreaterThan(source.prior(kind - 1, 0));
      assertThat(source.prior(kind, 1)).isBetween(source.prior(kind, 0), 1.0);
    }
    assertThat(draft(1, 1, 2).kind()).isEqualTo(Draft.KINDS - 1);
  }
}
