package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.eval.TextScorer;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.host.EmbeddedFolder;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * The embedded model is whole, has learnt something, and decodes the same with and without exits.
 */
class FableContractTest {
  private static final String TEXT =
      "Once upon a time, there was a little girl named Lily. She lived in a small house near the"
          + " sea. One day, she found a shiny shell in the sand and showed it to her friend Tom.";

  @Test
  void itPredictsAStoryFarBetterThanChance() {
    try (Device device = Device.cpu(1);
        LanguageModel m = LanguageModel.load(EmbeddedFolder.FABLE.path(), Precision.F32, device)) {
      Exits none = new Exits(m.sha256(), Map.of(), List.of());
      double nll =
          new TextScorer(m, none, device)
              .score(TEXT, TextScorer.Progress.NONE)
              .heads()
              .get("final")
              .nll();
      // guessing at random is ln 2048 = 7.6 nats; test stories have 1.6
      assertThat(nll).isBetween(1.0, 3.5);
    }
  }

  @Test
  void atThresholdOneExitsChangeNoBit() {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test");
        LanguageModel m = LanguageModel.load(EmbeddedFolder.FABLE.path(), Precision.FILE, device)) {
      ExitSpec spec = new ExitSpec(6, ExitArchitecture.MLP, true);
      Exits exits =
          new Exits(
              m.sha256(),
              Map.of(),
              List.of(ExitInit.COPY.build(spec, m.decoder(), 1, arena, device.kernels())));
      int[] prompt = m.tokenizer().encode(TEXT);
      try (FullDepth full = new FullDepth(m.decoder(), 64 + prompt.length, device);
          EarlyExit early =
              new EarlyExit(
                  m.decoder(), exits, new MaxProbability(1), 64 + prompt.length, 15, device)) {
        Step a = full.prefill(prompt);
        Step b = early.prefill(prompt);
        for (int i = 0; i < 20; i++) {
          assertThat(b.logits()).containsExactly(a.logits());
          assertThat(b.exit()).isEmpty();
          a = full.next(i + 300);
          b = early.next(i + 300);
        }
      }
    }
  }
}
