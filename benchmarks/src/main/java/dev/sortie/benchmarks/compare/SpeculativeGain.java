package dev.sortie.benchmarks.compare;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.DraftSource;
import dev.sortie.eetuning.decode.EarlyExitDraft;
import dev.sortie.eetuning.decode.FullDepth;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.PromptLookup;
import dev.sortie.eetuning.decode.SamplingOptions;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.Speculative;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.tensor.Device;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Speculative decoding against full depth, in turns in one JVM, which must give the same tokens.
 *
 * @param prompt the prompt's place in {@link #PROMPTS}
 * @param full tokens a second at full depth, the median round
 * @param speculative the same with guesses
 * @param tokens generated
 * @param passes that they took
 * @param verified guesses that passes verified
 * @param accepted guesses that were right
 */
public record SpeculativeGain(
    int prompt,
    double full,
    double speculative,
    int tokens,
    int passes,
    int verified,
    int accepted) {

  /** Explanation, story, code, summary of a given text, rewriting of a given text. */
  public static final List<String> PROMPTS =
      List.of(
          "What is photosynthesis?",
          "Tell me a story about a fox and a hen.",
          "Write a Python function that returns the first n Fibonacci numbers, and explain it.",
          "Summarise this text: The dormouse is a small animal that sleeps for most of the year. It lives in woods and hedges, "
              + "eats nuts, berries and insects, and builds a nest of bark and leaves. In autumn the dormouse grows fat, and from October "
              + "to April it sleeps in a nest on the ground, under leaves or at the foot of a tree.",
          "Correct the mistakes in this text: Yesterday we goes to the market and buyed three apple. The woman which sell the apples "
              + "was very friendly, and she give us a pear for nothing. Than we goes home and eated the pear in the garden.");

  /** How to decode. */
  public record Settings(
      int tokens, int rounds, SamplingOptions sampling, Exits exits, double threshold) {}

  /** How many times as fast. */
  public double ratio() {
    return speculative / full;
  }

  /**
   * Measures every prompt; a round that is not counted comes first.
   *
   * @throws DisagreementException if the texts differ
   */
  public static List<SpeculativeGain> measure(LanguageModel m, Settings settings, Device device) {
    Optional<ChatTemplate> template = ChatTemplate.ofModel(m.path());
    List<SpeculativeGain> all = new ArrayList<>();
    for (int p = 0; p < PROMPTS.size(); p++) {
      String text = PROMPTS.get(p);
      int[] prompt =
          template
              .map(
                  t ->
                      t.encode(
                          List.of(ChatMessage.of("user", text)),
                          ChatOptions.DEFAULT,
                          m.tokenizer()))
              .orElseGet(() -> m.tokenizer().encode(text));
      all.add(one(m, settings, device, p, prompt));
    }
    return all;
  }

  private static SpeculativeGain one(
      LanguageModel m, Settings settings, Device device, int number, int[] prompt) {
    int capacity = prompt.length + settings.tokens;
    double[] full = new double[settings.rounds];
    double[] speculative = new double[settings.rounds];
    int[] expected = null;
    SpeculationReport report = null;
    for (int round = -1; round < settings.rounds; round++) {
      for (int turn = 0; turn < 2; turn++) {
        boolean guess = (round + turn) % 2 == 0;
        try (DecodingStrategy s =
            guess
                ? new Speculative(m.decoder(), sources(m, settings, capacity), capacity, device)
                : new FullDepth(m.decoder(), capacity, device)) {
          Generation g = run(m, s, prompt, settings);
          int[] ids = g.tokens().stream().mapToInt(GeneratedToken::id).toArray();
          if (expected != null && !Arrays.equals(expected, ids)) {
            throw new DisagreementException("prompt " + number + ": the texts differ");
          }
          expected = ids;
          if (round >= 0) {
            (guess ? speculative : full)[round] = g.decodeTokensPerSecond();
          }
          report = s instanceof Speculative counted ? counted.report() : report;
        }
      }
    }
    return new SpeculativeGain(
        number,
        Figure.rounded(median(full)),
        Figure.rounded(median(speculative)),
        expected.length,
        report.passes(),
        report.sources().values().stream().mapToInt(SpeculationReport.Guesses::verified).sum(),
        report.sources().values().stream().mapToInt(SpeculationReport.Guesses::accepted).sum());
  }

  private static List<DraftSource> sources(LanguageModel m, Settings settings, int capacity) {
    List<DraftSource> sources = new ArrayList<>();
    sources.add(new PromptLookup(capacity));
    if (!settings.exits.exits().isEmpty()) {
      int layers = m.config().decoder().layers();
      sources.add(
          new EarlyExitDraft(
              settings.exits.exits().getLast(), layers, settings.threshold, capacity));
    }
    return sources;
  }

  private static Generation run(
      LanguageModel m, DecodingStrategy s, int[] prompt, Settings settings) {
    GenerateOptions options =
        new GenerateOptions(settings.tokens, settings.sampling, List.of(), true);
    return new Generator(s, m.tokenizer(), List.of(), m.config().decoder().vocab())
        .run(prompt, options, t -> {});
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  }
}
