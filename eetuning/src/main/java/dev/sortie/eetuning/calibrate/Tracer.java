package dev.sortie.eetuning.calibrate;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.eval.TokenReadings;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.util.List;
import java.util.Optional;

/**
 * Finds out what exits would have done on held-out sequences: on texts as they stand, and on the
 * greedy full-depth answers to prompts.
 *
 * @param model backbone
 * @param exits its exits
 * @param device where to compute
 * @param answer tokens of an answer at most
 */
public record Tracer(LanguageModel model, Exits exits, Device device, int answer) {

  /** What is said of one sequence; empty where an answer has no token after its first. */
  public Optional<TokenReadings> trace(HeldOutSequence sequence) {
    int[] ids = sequence.ids();
    int given = sequence.given();
    if (sequence.isPrompt()) {
      ids = answered(sequence);
      // the first token of an answer comes from reading the prompt, at full depth in any case
      given++;
      if (given >= ids.length) {
        return Optional.empty();
      }
    }
    return Optional.of(TokenReadings.of(model, exits, device, ids, given));
  }

  private int[] answered(HeldOutSequence sequence) {
    int[] prompt = sequence.ids();
    List<Integer> ends =
        sequence.kind() == HeldOutSequence.Kind.QUESTION
            ? Prompt.endsOfAnswer(model)
            : model.config().eos();
    GenerateOptions options = new GenerateOptions(answer, SamplingOptions.GREEDY, List.of(), false);
    try (DecodingStrategy s = new FullDepth(model.decoder(), prompt.length + answer, device)) {
      Generation g =
          new Generator(s, model.tokenizer(), ends, model.config().decoder().vocab())
              .run(prompt, options, t -> {});
      int[] ids = java.util.Arrays.copyOf(prompt, prompt.length + g.tokens().size());
      int at = prompt.length;
      for (GeneratedToken t : g.tokens()) {
        ids[at++] = t.id();
      }
      return ids;
    }
  }
}
