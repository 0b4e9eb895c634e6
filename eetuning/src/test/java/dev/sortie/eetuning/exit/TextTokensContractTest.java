package dev.sortie.eetuning.exit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.Weights;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Draft heads cover a text's own tokens too, whatever was read with it and before. */
class TextTokensContractTest {
  private static final int DRAFT = 60;
  private static final int WIDTH = 32;

  /** Within the draft head: 5; the others are not, and 200 comes twice. */
  private static final int[] TEXT = {200, 5, 130, 200, 61, 5, 249, 90};

  @TempDir private static Path folder;

  private static Device device;
  private static LanguageModel model;
  private static NativeArena arena;
  private static Workspace workspace;
  private static Ops ops;

  @BeforeAll
  static void open() {
    device = Device.cpu(2);
    arena = new NativeArena("exits");
    workspace = new Workspace();
    ops = new Ops(device, workspace);
    Path written = TinyModel.write(folder.resolve("model"), 3, WIDTH, 290, 1);
    model = LanguageModel.load(written, Precision.F32, device);
  }

  @AfterAll
  static void close() {
    workspace.close();
    model.close();
    arena.close();
    device.close();
  }

  private static Exit exit(DType type, int... ids) {
    Weights none =
        (name, shape, role) -> {
          throw new AssertionError("it has no weights of its own, asked for " + name);
        };
    ExitSpec spec = new ExitSpec(1, ExitArchitecture.EMBEDDING, false, ids.length);
    DraftVocabulary draft = new DraftVocabulary(ids, model.config().decoder().vocab());
    QuantizedWeights held = new QuantizedWeights(none, type, arena, device.kernels());
    return new Exit(spec, model.decoder(), none, Optional.of(draft), arena)
        .withDraftHead(held::head);
  }

  private static Exit exit(DType type) {
    return exit(type, IntStream.range(0, DRAFT).toArray());
  }

  private static Tensor states(int rows) {
    Tensor x = Tensor.allocate(arena, DType.F32, Shape.of(rows, WIDTH));
    Random random = new Random(7, 0);
    for (int i = 0; i < rows * WIDTH; i++) {
      x.span().set(i, 2 * random.normal(i));
    }
    return x;
  }

  private static Tensor row(Tensor x, int i) {
    long width = x.shape().dim(1);
    return Tensor.of(x.span().slice(i * width, width), Shape.of(1, width));
  }

  private static float[] whole(ExitAnswer answer) {
    float[] all = new float[model.config().decoder().vocab()];
    answer.spread(all);
    return all;
  }

  private static ExitAnswer ask(TextTokens text, Exit e, Tensor state, int place) {
    return text.answer(ops, e, state, e.headLogits(ops, state), place);
  }

  private static TextTokens of(Exit e, int... tokens) {
    TextTokens text = new TextTokens(List.of(e), 40, arena);
    text.read(ops, 0, tokens);
    return text;
  }

  /** Bit for bit, in the backbone's type and in blocks. */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "Q8_0"})
  void anExitSaysWhatOneWithThoseTokensInItsHeadWouldSay(DType type) {
    Exit e = exit(type);
    Tensor state = states(1);
    for (int place = 1; place <= TEXT.length; place++) {
      int[] covered =
          IntStream.concat(IntStream.range(0, DRAFT), Arrays.stream(TEXT, 0, place))
              .sorted()
              .distinct()
              .toArray();
      Exit restricted = exit(type, covered);
      ExitAnswer expected = ExitAnswer.of(ops, restricted, restricted.headLogits(ops, state));
      ExitAnswer found = ask(of(e, TEXT), e, state, place);
      assertThat(whole(found)).isEqualTo(whole(expected));
      assertThat(found.tokens()).isEqualTo(covered.length);
      assertThat(found.token()).isEqualTo(expected.token());
      assertThat(found.probability()).isCloseTo(expected.probability(), within(1e-6));
      for (int id = 0; id < model.config().decoder().vocab(); id++) {
        if (Arrays.binarySearch(covered, id) < 0) {
          assertThat(found.nll(id)).isInfinite();
        } else {
          assertThat(found.nll(id)).isCloseTo(expected.nll(id), within(1e-5));
        }
      }
      double known = IntStream.range(0, DRAFT).mapToDouble(id -> Math.exp(-found.nll(id))).sum();
      assertThat(found.knownShare()).isCloseTo(known, within(1e-5));
    }
  }

  /** Rows of one pass stand at different places; those that were read ahead do not count. */
  @Test
  void rowsOfAPassHaveTheBitsThatTheyHaveAlone() {
    Exit e = exit(DType.F32);
    TextTokens ahead = of(e, TEXT);
    Tensor states = states(Kernels.ROW_STABLE);
    Tensor stored = e.headLogits(ops, states);
    for (int i = 0; i < Kernels.ROW_STABLE; i++) {
      int place = 1 + i % TEXT.length;
      ExitAnswer found = ahead.answer(ops, e, row(states, i), row(stored, i), place);
      TextTokens so = of(e, Arrays.copyOf(TEXT, place));
      same(found, ask(so, e, row(states, i), place));
    }
  }

  private static void same(ExitAnswer found, ExitAnswer expected) {
    assertThat(found.logits().toFloats()).isEqualTo(expected.logits().toFloats());
    assertThat(found.lse()).isEqualTo(expected.lse());
    assertThat(found.probability()).isEqualTo(expected.probability());
    assertThat(whole(found)).isEqualTo(whole(expected));
  }

  @Test
  void goingBackAndReadingInPiecesChangeNothing() {
    Exit e = exit(DType.Q8_0);
    Tensor state = states(1);
    int[] other = {200, 5, 130, 77, 61};
    TextTokens text = of(e, TEXT);
    text.rewind(3);
    text.read(ops, 3, 77, 61);
    TextTokens over = of(e, TEXT);
    over.read(ops, 2, 130);
    over.read(ops, 3, 77);
    over.read(ops, 4, 61);
    assertThat(text.length()).isEqualTo(5);
    for (int place = 1; place <= other.length; place++) {
      ExitAnswer expected = ask(of(e, other), e, state, place);
      same(ask(text, e, state, place), expected);
      same(ask(over, e, state, place), expected);
    }
    text.rewind(0);
    assertThatThrownBy(() -> ask(text, e, state, 1)).hasMessageContaining("a text of 0");
  }

  /** The first ones are in, as many as there is room for; a later one finds room again. */
  @Test
  void whereAHeadIsFullLaterTokensStayOut() {
    Exit e = exit(DType.F32);
    Tensor state = states(1);
    Tensor stored = e.headLogits(ops, state);
    TextRows rows = new TextRows(e, 3, arena);
    rows.read(ops, 0, TEXT);
    ExitAnswer full = rows.answer(ops, e, state, stored, TEXT.length);
    same(full, ask(of(e, 200, 130, 61), e, state, 3));
    rows.rewind(2);
    rows.read(ops, 2, new int[] {249, 90, 61});
    same(rows.answer(ops, e, state, stored, 5), ask(of(e, 200, 249, 90), e, state, 3));
  }

  @Test
  void ofEqualLogitsTheLowestIdWins() {
    Exit e = exit(DType.F32, 10, 50);
    Tensor logits = Tensor.of(arena, Shape.of(1, 5), -1, 3, 3, 2, 3);
    assertThat(new ExitAnswer(ops, e, logits, new int[] {99, 7, 20}).token()).isEqualTo(20);
    assertThat(new ExitAnswer(ops, e, logits, new int[] {99, 7, 80}).token()).isEqualTo(50);
  }

  /** A head of its own has no rows for other tokens, and one over all tokens needs none. */
  @Test
  void otherHeadsStayAsTheyAre() {
    Tensor state = states(1);
    for (ExitSpec spec :
        List.of(
            new ExitSpec(1, ExitArchitecture.NORM, true, DRAFT),
            new ExitSpec(1, ExitArchitecture.NORM, false))) {
      Exit e = ExitInit.COPY.build(spec, model.decoder(), 1, arena, device.kernels());
      ExitAnswer alone = ExitAnswer.of(ops, e, e.headLogits(ops, state));
      same(ask(of(e, TEXT), e, state, TEXT.length), alone);
      assertThat(alone.knownShare()).isEqualTo(1);
    }
  }

  @Test
  void askingBehindTheTextIsRefused() {
    Exit e = exit(DType.F32);
    TextTokens text = of(e, TEXT);
    Tensor state = states(1);
    assertThatThrownBy(() -> ask(text, e, state, TEXT.length + 1))
        .hasMessageContaining("after token 9 of a text of 8");
    assertThatThrownBy(() -> text.read(ops, 9, 1)).hasMessageContaining("to keep 9 tokens");
  }
}
