package dev.sortie.eetuning.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The oracle over sets of layers, against each set of a small model by itself. */
class LayerSetOracleContractTest {
  private static final int LAYERS = 6;

  /** The most sets that a cell can have: 3 of 6 layers. */
  private static final int ALL = 20;

  @TempDir private static Path folder;

  private static Device device;
  private static NativeArena arena;
  private static LanguageModel model;
  private static List<TokenReadings> readings;

  @BeforeAll
  static void begin() {
    device = Device.cpu(1);
    arena = new NativeArena("exits");
    Path files = TinyModel.write(folder, LAYERS, 32, 290, 3);
    model = LanguageModel.load(files, Precision.FILE, device);
    Exits exits =
        new Exits(
            model.sha256(),
            Map.of(),
            List.of(2, 4).stream()
                .map(d -> new ExitSpec(d, ExitArchitecture.NORM, true))
                .map(s -> ExitInit.COPY.build(s, model.decoder(), 0, arena, device.kernels()))
                .toList());
    readings =
        TokenReadings.ofTexts(
            model, exits, device, List.of(TinyModel.TEXT.repeat(2)), 120, (a, b) -> {});
    assertThat(readings).hasSizeGreaterThan(2);
  }

  @AfterAll
  static void end() {
    model.close();
    arena.close();
    device.close();
  }

  private static int[] fewest(TokenReadings r, int width, int... below) {
    try (LayerSetSearch search = new LayerSetSearch(model, device, r.text().length, width)) {
      int[] limits = below.length == 1 ? fill(r, below[0]) : below;
      int[] found = search.fewest(r, limits);
      assertThat(search.isExact()).isEqualTo(width >= ALL || found.length == 0);
      return found;
    }
  }

  private static int[] fill(TokenReadings r, int value) {
    int[] all = new int[r.tokens()];
    Arrays.fill(all, value);
    return all;
  }

  /** Runs one set, after tokens at full depth; what the head then chooses. */
  private static int choice(int[] text, int position, int set) {
    try (Sequence s = new Sequence(model.decoder(), text.length, device)) {
      for (int p = 0; p < position; p++) {
        run(s, text[p], p, (1 << LAYERS) - 1);
      }
      return run(s, text[position], position, set);
    }
  }

  private static int run(Sequence s, int token, int position, int set) {
    return s.step(
        () -> {
          Tensor x = s.embed(new int[] {token}, position, 1);
          for (int i = 0; i < LAYERS; i++) {
            if ((set >> i & 1) == 1) {
              x = s.layers(x, i, i + 1, position).x();
            }
          }
          return TopTokens.of(s.ops(), model.decoder().logits(s.ops(), x)).ids()[0];
        });
  }

  @Test
  void aWideSearchFindsTheFewestLayersOfAllSets() {
    TokenReadings r = readings.getFirst();
    int[] found = fewest(r, ALL, LAYERS + 1);
    int[] expected =
        IntStream.range(0, r.tokens())
            .map(
                i ->
                    IntStream.range(0, 1 << LAYERS)
                        .filter(
                            set ->
                                choice(r.text(), r.given() + i - 1, set) == r.last().choices()[i])
                        .map(Integer::bitCount)
                        .min()
                        .orElseThrow())
            .toArray();
    assertThat(found).isEqualTo(expected);
    assertThat(Arrays.stream(expected).distinct().count())
        .as("a test of some cases")
        .isGreaterThan(2);
  }

  @Test
  void allLayersGiveFullDepthsToken() {
    for (TokenReadings r : readings) {
      for (int width : new int[] {1, ALL}) {
        assertThat(Arrays.stream(fewest(r, width, LAYERS + 1)).max().orElseThrow())
            .isLessThanOrEqualTo(LAYERS);
      }
    }
  }

  @Test
  void aNarrowSearchNeverClaimsFewerAndWiderOnesFindMore() {
    long before = Long.MAX_VALUE;
    int[] best =
        readings.stream().flatMapToInt(r -> IntStream.of(fewest(r, ALL, LAYERS))).toArray();
    for (int width : new int[] {1, 3, ALL}) {
      int[] found =
          readings.stream().flatMapToInt(r -> IntStream.of(fewest(r, width, LAYERS))).toArray();
      for (int i = 0; i < found.length; i++) {
        assertThat(found[i]).isGreaterThanOrEqualTo(best[i]);
      }
      long sum = Arrays.stream(found).sum();
      assertThat(sum).isLessThanOrEqualTo(before);
      before = sum;
    }
  }

  @Test
  void noTokenNeedsMoreThanWithExitsAlone() {
    DepthOracle exits = new DepthOracle(LAYERS, model.tokenizer());
    for (int width : new int[] {1, ALL}) {
      LayerSetOracle.Result sets =
          new LayerSetOracle(model, device, width).search(readings, (a, b) -> {});
      DepthOracle.Result alone = exits.against(readings, new TreeMap<>(Map.of(2, 1.0, 4, 1.0)));
      assertThat(sets.exact()).isEqualTo(width == ALL);
      assertThat(sets.all().tokens()).isEqualTo(alone.all().tokens());
      assertThat(sets.all().layers()).isLessThan(alone.all().neededDepth());
      assertThat(sets.kinds().keySet()).isEqualTo(alone.kinds().keySet());
      sets.kinds()
          .forEach(
              (kind, part) ->
                  assertThat(part.layers())
                      .isLessThanOrEqualTo(alone.kinds().get(kind).neededDepth()));
      assertThat(sets.all().needed().values().stream().mapToDouble(x -> x).sum())
          .isCloseTo(1, within(1e-12));
      assertThat(sets.all().needed()).containsOnlyKeys(0, 1, 2, 3, 4, 5, 6);
    }
    for (TokenReadings r : readings) {
      int[] need = exits.needed(r);
      int[] found = fewest(r, ALL, need);
      for (int i = 0; i < need.length; i++) {
        assertThat(found[i]).isLessThanOrEqualTo(need[i]);
      }
    }
  }
}
