package dev.sortie.eetuning.decode;

import static dev.sortie.eetuning.decode.DecodingWays.CONTEXT;
import static dev.sortie.eetuning.decode.DecodingWays.PROMPT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.decode.DecodingWays.Way;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What all ways of decoding promise of the texts that they write. */
class DecodingStrategyContractTest {
  private static final int TOKENS = 60;
  private static final SamplingOptions SAMPLED = new SamplingOptions(0.8, 0, 1, 0, 1.1, 7);

  @TempDir static Path folder;

  static DecodingWays ways;

  @BeforeAll
  static void load() {
    ways = new DecodingWays(folder);
  }

  @AfterAll
  static void close() {
    ways.close();
  }

  private static GenerateOptions options(int tokens, SamplingOptions sampling, String... stop) {
    return new GenerateOptions(tokens, sampling, List.of(stop), false);
  }

  /** All but who had drafted a token. */
  private static List<List<Object>> trace(Generation g) {
    return g.tokens().stream()
        .map(t -> List.<Object>of(t.id(), t.text(), t.exit(), t.confidence()))
        .toList();
  }

  private static void assertSame(Generation found, Generation expected) {
    assertThat(trace(found)).isEqualTo(trace(expected));
    assertThat(found.text()).isEqualTo(expected.text());
    assertThat(found.finish()).isEqualTo(expected.finish());
  }

  @ParameterizedTest
  @EnumSource
  void writesWhatThePlainestWayWrites(Way way) {
    int[] repetitive = IntStream.range(0, 70).map(i -> 40 + i % 5).toArray();
    for (int[] prompt : List.of(PROMPT, new int[] {3}, repetitive)) {
      for (SamplingOptions sampling : List.of(SamplingOptions.GREEDY, SAMPLED)) {
        GenerateOptions options = options(TOKENS, sampling);
        assertSame(
            ways.write(way, prompt, options, List.of()),
            ways.write(way.reference(), prompt, options, List.of()));
      }
    }
  }

  /**
   * Draft tokens are right and exits are taken under the rule, and nothing comes that it forbids.
   */
  @ParameterizedTest
  @MethodSource("dev.sortie.eetuning.decode.DecodingWays$Way#strategies")
  void aGrammarIsKeptAndDraftsAreRightUnderIt(Way way) {
    List<Integer> ends = List.of(0);
    for (SamplingOptions sampling : List.of(SamplingOptions.GREEDY, SAMPLED)) {
      GenerateOptions options =
          options(90, sampling)
              .with(ways.grammar("root ::= (\"<fox \" [0-9] \" or hen \" [é-í] \">\"){9}", ends));
      Generation g = ways.write(way, PROMPT, options, ends);
      assertSame(g, ways.write(way.reference(), PROMPT, options, ends));
      assertThat(g.text().replaceFirst("<[^>]*$", "")).matches("(<fox [0-9] or hen [é-í]>){1,9}");
      if (way == Way.PROMPT_LOOKUP || way.name().startsWith("BATCH_WITH_DRAFTS")) {
        assertThat(g.tokens().stream().filter(t -> t.draft().isPresent()).count()).isPositive();
      }
      assertThat(g.tokens().stream().anyMatch(t -> t.exit().isPresent()))
          .isEqualTo(way.leavesEarly());
    }
  }

  @ParameterizedTest
  @EnumSource
  void repeatedGivesTheSameBits(Way way) {
    GenerateOptions options = options(TOKENS, SAMPLED);
    Generation first = ways.write(way, PROMPT, options, List.of());
    assertSame(ways.write(way, PROMPT, options, List.of()), first);
    if (way.isStrategy()) {
      try (DecodingStrategy s = ways.open(way, CONTEXT)) {
        for (int i = 0; i < 3; i++) {
          assertSame(ways.write(s, PROMPT, options, List.of(), () -> false), first);
          s.rewind(0);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void textsEndAtTheLimitAtStopTextsAndAtEndTokens(Way way) {
    Generation whole = ways.write(way, PROMPT, options(TOKENS, SAMPLED), List.of());
    assertThat(whole.tokens()).hasSize(TOKENS);
    assertThat(whole.finish()).isEqualTo("length");

    String stop = whole.text().substring(whole.text().length() / 2).substring(0, 3);
    Generation stopped = ways.write(way, PROMPT, options(TOKENS, SAMPLED, stop), List.of());
    assertThat(stopped.finish()).isEqualTo("stop");
    assertThat(stopped.text()).isEqualTo(whole.text().substring(0, whole.text().indexOf(stop)));

    int end = whole.tokens().get(TOKENS / 2).id();
    int first =
        IntStream.range(0, TOKENS)
            .filter(i -> whole.tokens().get(i).id() == end)
            .findFirst()
            .getAsInt();
    Generation ended = ways.write(way, PROMPT, options(TOKENS, SAMPLED), List.of(end));
    assertThat(ended.finish()).isEqualTo("stop");
    assertThat(ended.tokens().stream().map(GeneratedToken::id))
        .isEqualTo(whole.tokens().subList(0, first + 1).stream().map(GeneratedToken::id).toList());
    // the end has no text; an incomplete character before it is given out as at any other end
    String before =
        first == 0 ? "" : ways.write(way, PROMPT, options(first, SAMPLED), List.of()).text();
    assertThat(ended.text()).isEqualTo(before);
    assertThat(ended.tokens().stream().map(GeneratedToken::text).collect(Collectors.joining()))
        .isEqualTo(before);
  }

  @ParameterizedTest
  @EnumSource
  void theTraceSaysWhereEachTokenCameFrom(Way way) {
    Generation g = ways.write(way, PROMPT, options(TOKENS, SamplingOptions.GREEDY), List.of());
    assertThat(g.promptIds()).isEqualTo(PROMPT);
    assertThat(g.tokens().stream().map(GeneratedToken::text).collect(Collectors.joining()))
        .isEqualTo(g.text());
    assertThat(g.tokens()).allSatisfy(t -> assertThat(t.confidence()).isBetween(0.0, 1.0));
    List<OptionalInt> left = g.tokens().stream().map(GeneratedToken::exit).distinct().toList();
    if (way.leavesEarly()) {
      assertThat(left.size()).as("depths of answers, %s", left).isGreaterThan(2);
      assertThat(left)
          .allSatisfy(
              e -> assertThat(e.isEmpty() || ways.depths().contains(e.getAsInt())).isTrue());
    } else {
      assertThat(left).containsExactly(OptionalInt.empty());
    }
  }

  /** Tokens after the first are draft tokens that turned out right, or the first rows of passes. */
  @ParameterizedTest
  @MethodSource("dev.sortie.eetuning.decode.DecodingWays$Way#strategies")
  void whatIsSaidOfDraftsAddsUp(Way way) {
    try (DecodingStrategy s = ways.open(way, CONTEXT)) {
      int read =
          ways.write(s, PROMPT, options(TOKENS, SAMPLED), List.of(), () -> false).tokens().size()
              - 1;
      SpeculationReport report = s.speculation();
      if (report.passes() > 0) {
        int right = report.trace().stream().mapToInt(SpeculationReport.Pass::accepted).sum();
        assertThat(report.passes() + right).isEqualTo(read);
        assertThat(report.sources().values().stream().mapToInt(g -> g.accepted()).sum())
            .isEqualTo(right);
        assertThat(report.rows()).isGreaterThanOrEqualTo(read);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.sortie.eetuning.decode.DecodingWays$Way#strategies")
  void cancelledItEndsWithTheTokenAtHand(Way way) {
    GenerateOptions options = options(TOKENS, SAMPLED);
    Generation whole = ways.write(way, PROMPT, options, List.of());
    int[] asked = {0};
    Generation g = ways.write(way, PROMPT, options, List.of(), () -> ++asked[0] == 17);
    assertThat(g.finish()).isEqualTo("cancelled");
    assertThat(trace(g)).hasSize(17);
    assertThat(trace(g).subList(0, 16)).isEqualTo(trace(whole).subList(0, 16));
  }
}
