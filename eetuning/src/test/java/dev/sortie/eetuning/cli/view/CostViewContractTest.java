package dev.sortie.eetuning.cli.view;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.cost.CostTable;
import dev.sortie.eetuning.cost.ExitCost;
import dev.sortie.eetuning.cost.Payoffs;
import dev.sortie.eetuning.cost.RowTimes;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class CostViewContractTest {
  private static String printed(CostTable t) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    CostView.print(t, Payoffs.of(t, 15), new PrintStream(out, true, StandardCharsets.UTF_8));
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void figuresAreMillisecondsAndExitsThatNeverPayAreNamed() {
    RowTimes layer = new RowTimes(new TreeMap<>(Map.of(1, 1e-3, 2, 1.1e-3, 4, 1.3e-3)));
    RowTimes head = new RowTimes(new TreeMap<>(Map.of(1, 4e-3, 4, 7e-3)));
    CostTable t =
        new CostTable(
            10,
            64,
            layer,
            RowTimes.constant(1e-6),
            head,
            0,
            List.of(new ExitCost(4, Optional.empty(), 2e-3), new ExitCost(9, Optional.empty(), 9)));
    String text = printed(t);
    assertThat(text)
        .contains("full depth: 14.000 per token, 71 tokens/s")
        .containsPattern("4 +1\\.3000 +7\\.000 +20\\.000 +1\\.43\n")
        .containsPattern("exit +evaluate")
        .containsPattern("4 +2\\.000 +6\\.000 .* % of the tokens leave there\n")
        .containsPattern("9 +9000\\.000 .* never: inactive by default\n")
        .contains(
            "drafts of 3: a pass takes 20.000; a draft that costs nothing pays if each token is accepted with probability 31 %")
        .contains("; one of exit 9 never")
        .doesNotContain("drafts of 7");
  }
}
