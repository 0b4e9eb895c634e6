package dev.sortie.eetuning.exit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.offset;

import dev.sortie.eetuning.Altered;
import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelConverter;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExitsFileContractTest {
  @TempDir private Path temp;

  private final Device device = Device.cpu(1);
  private final NativeArena arena = new NativeArena("exits file test");
  private LanguageModel model;
  private Exits exits;
  private Path folder;

  @BeforeEach
  void writeExits() {
    model = load(TinyModel.write(temp.resolve("model"), 1));
    exits =
        new Exits(
            model.sha256(),
            Map.of("steps", 7L),
            List.of(exit(2, ExitArchitecture.LAYER, true), exit(1, ExitArchitecture.MLP, false)));
    folder = temp.resolve("exits");
    ExitsFile.write(folder, exits, model);
  }

  @AfterEach
  void close() {
    model.close();
    arena.close();
    device.close();
  }

  private LanguageModel load(Path from) {
    return LanguageModel.load(from, Precision.F32, device);
  }

  private Exit exit(int depth, ExitArchitecture architecture, boolean ownHead) {
    return ExitInit.RANDOM.build(
        new ExitSpec(depth, architecture, ownHead), model.decoder(), 5, arena, device.kernels());
  }

  private Exits read(Path from) {
    return ExitsReader.of(model).read(from, arena, device.kernels());
  }

  private Path tensors() {
    return folder.resolve("exits.safetensors");
  }

  private Path description() {
    return folder.resolve("exits.json");
  }

  /** Reading fails with one line that holds all of {@code parts}. */
  private void assertRefused(Path file, String... parts) {
    Throwable thrown = catchThrowable(() -> read(folder));
    assertThat(thrown).isInstanceOf(InputException.class);
    assertThat(thrown.getMessage()).contains(file.toString()).contains(parts).hasLineCount(1);
  }

  @Test
  void whatWasWrittenIsReadBitForBit() {
    Exits back = read(folder);
    assertThat(back.depths()).containsExactly(1, 2);
    assertThat(back.tuning()).isEqualTo(Map.of("steps", 7L));
    assertThat(back.backboneSha256()).isEqualTo(model.sha256());
    for (int i = 0; i < 2; i++) {
      Exit was = exits.exits().get(i);
      Exit is = back.exits().get(i);
      assertThat(is.spec()).isEqualTo(was.spec());
      assertThat(is.parameters().keySet()).isEqualTo(was.parameters().keySet()).isNotEmpty();
      was.parameters()
          .forEach(
              (name, t) ->
                  assertThat(
                          t.span().segment().mismatch(is.parameters().get(name).span().segment()))
                      .as(name)
                      .isEqualTo(-1));
    }
  }

  @Test
  void allArchitecturesSurvive() {
    for (ExitArchitecture a : ExitArchitecture.values()) {
      for (boolean own : new boolean[] {true, false}) {
        Path to = temp.resolve(a + "-" + own);
        ExitsFile.write(to, new Exits(model.sha256(), Map.of(), List.of(exit(1, a, own))), model);
        assertThat(read(to).exits().getFirst().spec()).isEqualTo(new ExitSpec(1, a, own));
      }
    }
  }

  private Exits withNgrams(NgramTable table) {
    return new Exits(
        model.sha256(), List.of(), Map.of(), List.of(), Optional.empty(), Optional.of(table));
  }

  @Test
  void ngramsSurviveBitForBit() {
    assertThat(read(folder).ngrams()).isEmpty();
    NgramTable table = NgramTable.count(new int[] {1, 2, 3, 1, 2, 3, 1, 2, 4, 4, 4});
    ExitsFile.write(temp.resolve("ngrams"), withNgrams(table), model);
    assertThat(read(temp.resolve("ngrams")).ngrams()).hasValue(table);
  }

  @Test
  void aDamagedTableOfNgramsIsRefused() {
    Path file = folder.resolve("ngrams.safetensors");
    int vocab = model.config().decoder().vocab();
    writeNgrams(new int[] {-1, 3}, new int[] {5, vocab}, new int[] {1, 1}, 0.5f, 0.5f);
    assertRefused(file, "last 1 is " + vocab, "0 to " + (vocab - 1));
    writeNgrams(new int[] {-1, -2}, new int[] {5, 6}, new int[] {1, 1}, 0.5f, 0.5f);
    assertRefused(file, "before 1 is -2", "-1 to " + (vocab - 1));
    writeNgrams(new int[] {3, -1}, new int[] {5, 6}, new int[] {1, 1}, 0.5f, 0.5f);
    assertRefused(file, "context 1 is -1, 6", "3, 5");
    writeNgrams(new int[] {-1, 3}, new int[] {5, 6}, new int[] {1, 1}, 0.5f, Float.NaN);
    assertRefused(file, "probability 1 is NaN");
    writeNgrams(new int[] {-1, 3}, new int[] {5, 6}, new int[] {1}, 0.5f, 0.5f);
    assertRefused(file, "tensor next has 1 elements", "before has 2");
    new SafetensorsWriter()
        .tensor("before", Tensor.of(arena, Shape.of(1), 1f).span(), 1)
        .write(file);
    assertRefused(file, "tensor before has the type F32", "I32");
    new SafetensorsWriter()
        .tensor("other", Tensor.of(arena, Shape.of(1), 1f).span(), 1)
        .write(file);
    assertRefused(file, "tensor before is missing");
  }

  private void writeNgrams(int[] before, int[] last, int[] next, float... probability) {
    SafetensorsWriter file = new SafetensorsWriter();
    file.tensor("before", Tensor.ids(arena, Shape.of(before.length), before).span(), before.length);
    file.tensor("last", Tensor.ids(arena, Shape.of(last.length), last).span(), last.length);
    file.tensor("next", Tensor.ids(arena, Shape.of(next.length), next).span(), next.length);
    int n = probability.length;
    file.tensor("probability", Tensor.of(arena, Shape.of(n), probability).span(), n);
    file.write(folder.resolve("ngrams.safetensors"));
  }

  /** Exits with draft heads and a lookahead exit, in a folder of their own. */
  private Path newer() {
    Path to = temp.resolve("newer");
    ExitSpec tied = new ExitSpec(1, ExitArchitecture.LAYER, false, 20);
    ExitSpec own = new ExitSpec(2, ExitArchitecture.NORM, true, 30);
    List<Exit> list =
        List.of(tied, own).stream()
            .map(s -> ExitInit.RANDOM.build(s, model.decoder(), 5, arena, device.kernels()))
            .toList();
    Lookahead ahead =
        ExitInit.COPY.lookahead(
            List.of(1, 2), false, 25, model.decoder(), 5, arena, device.kernels());
    ExitsFile.write(to, new Exits(model.sha256(), Map.of(), list, Optional.of(ahead)), model);
    return to;
  }

  @Test
  void draftHeadsAndTheLookaheadExitSurvive() {
    Path to = newer();
    Exits back = read(to);
    assertThat(to.resolve("exits.json")).content().contains("\"version\": 2");
    assertThat(back.exits().getFirst().spec())
        .isEqualTo(new ExitSpec(1, ExitArchitecture.LAYER, false, 20));
    assertThat(back.exits().getFirst().parameters()).doesNotContainKey("head.weight");
    assertThat(back.exits().getLast().draft())
        .contains(DraftVocabulary.lowest(30, model.config().decoder().vocab()));
    assertThat(back.exits().getLast().parameters().get("head.weight").shape().dim(0)).isEqualTo(30);
    Lookahead ahead = back.lookahead().orElseThrow();
    assertThat(ahead.draft()).map(DraftVocabulary::size).contains(25);
    assertThat(ahead.features()).containsExactly(1, 2);
    assertThat(ahead.parameters())
        .containsKeys(
            "hidden_proj.weight",
            "layer.mlp.down_proj.weight",
            "feature_norm.1.weight",
            "feature_proj.2.weight");
    assertThat(ExitsFile.outlines(to, model.config().decoder()).getLast().features())
        .containsExactly(1, 2);
    Path again = temp.resolve("newer again");
    ExitsFile.write(again, back, model);
    for (String file : List.of("exits.safetensors", "exits.json")) {
      assertThat(again.resolve(file)).hasSameBinaryContentAs(to.resolve(file));
    }
  }

  /** A lookahead exit stands after the last layer too, and is another one than the final draft. */
  @Test
  void ofTheExitsThatAreAskedAloneWeightsAreRead() {
    Path to = newer();
    Exits all = FinalDraft.add(read(to));
    for (List<Integer> asked : List.of(List.of(3), List.of(1, 3), List.of(2), List.<Integer>of())) {
      try (NativeArena own = new NativeArena("asked exits")) {
        Exits some = ExitsReader.of(model).asked(asked).read(to, own, device.kernels());
        assertThat(some.depths()).isEqualTo(asked);
        assertThat(some.lookahead()).isEmpty();
        for (Exit e : some.exits()) {
          Exit whole = all.exits().get(e.depth() - 1);
          assertThat(e.draft()).as("tokens of exit %d", e.depth()).isEqualTo(whole.draft());
          assertThat(logits(e)).as("logits of exit %d", e.depth()).isEqualTo(logits(whole));
        }
        if (asked.equals(List.of(3))) {
          long rows = 20L * model.config().decoder().hidden() * Float.BYTES;
          assertThat(own.bytes()).as("the rows of a head").isEqualTo(rows);
        }
      }
    }
  }

  private float[] logits(Exit e) {
    Tensor x = Tensor.allocate(arena, DType.F32, Shape.of(1, model.config().decoder().hidden()));
    device.kernels().fill(x.span(), 0.5);
    Ops ops = new Ops(device, new Workspace());
    return e.headLogits(ops, x).toFloats();
  }

  @Test
  void anExitThatIsAskedAndNotThereIsRefusedWithThoseThatAre() {
    Path to = newer();
    ExitsReader reader = ExitsReader.of(model);
    assertThatThrownBy(() -> reader.asked(List.of(2, 7)).read(to, arena, device.kernels()))
        .isInstanceOf(InputException.class)
        .hasMessage("no exit stands after layer 7; the exits given stand after layers [1, 2, 3]");
    assertThatThrownBy(() -> reader.asked(List.of(3)).read(folder, arena, device.kernels()))
        .isInstanceOf(InputException.class)
        .hasMessage("no exit stands after layer 3; the exits given stand after layers [1, 2]");
  }

  /** Decoding is bound by reading weights: exits are held in Q8_0, their draft heads too. */
  @Test
  void matricesAreHeldInEightBitsUnlessExactOnesAreAskedFor() {
    Path blocks = temp.resolve("model.gguf");
    try (ModelFiles files = ModelFiles.open(temp.resolve("model"))) {
      ModelConverter.toGguf(files, blocks, DType.Q8_0, device.kernels(), (tensor, done, all) -> {});
    }
    assertHeld(blocks, Precision.FILE, ExitsFileContractTest::eightBits);
  }

  @Test
  void matricesOfASmallBackboneInBf16AreHeldInItsType() {
    assertHeld(temp.resolve("model"), Precision.BF16, _ -> DType.BF16);
  }

  /** Blocks have 32 elements; a matrix whose rows have others stays in 16 bits. */
  private static DType eightBits(Tensor t) {
    return t.shape().dim(-1) % 32 == 0 ? DType.Q8_0 : DType.BF16;
  }

  /** Exits of a model are held in these types, close to what is stored. */
  private void assertHeld(Path files, Precision precision, Function<Tensor, DType> types) {
    Path to = newer();
    try (LanguageModel half = LanguageModel.load(files, precision, device)) {
      ExitsReader reader = ExitsReader.of(half).ofAnyBackbone();
      Exits held = reader.read(to, arena, device.kernels());
      Exits exact = reader.exact().read(to, arena, device.kernels());
      held.exits()
          .getFirst()
          .parameters()
          .forEach(
              (name, t) -> {
                boolean matrix = t.shape().rank() > 1;
                assertThat(t.dtype()).as(name).isEqualTo(matrix ? types.apply(t) : DType.F32);
                Tensor stored = exact.exits().getFirst().parameters().get(name);
                assertThat(stored.dtype()).isEqualTo(DType.F32);
                Tensor floats = Tensor.allocate(arena, DType.F32, t.shape());
                device.kernels().copy(t.span(), floats.span());
                assertThat(floats.span().get(3)).isCloseTo(stored.span().get(3), offset(4e-3));
              });
      Tensor projection = held.lookahead().orElseThrow().parameters().get("token_proj.weight");
      assertThat(projection.dtype()).isEqualTo(types.apply(projection));
      Lookahead exactly = exact.lookahead().orElseThrow();
      Ops ops = new Ops(device, new Workspace());
      Tensor state =
          Tensor.allocate(arena, DType.F32, Shape.of(1, half.config().decoder().hidden()));
      device.kernels().fill(state.span(), 0.5);
      float[] near = held.lookahead().orElseThrow().logits(ops, state).toFloats();
      float[] wanted = exactly.logits(ops, state).toFloats();
      assertThat(near).hasSameSizeAs(wanted);
      for (int k = 0; k < wanted.length; k++) {
        assertThat(near[k]).isCloseTo(wanted[k], offset(0.05f));
      }
    }
  }

  @Test
  void filesWithoutNewsStayOfTheFirstVersion() {
    assertThat(description()).content().contains("\"version\": 1");
  }

  @Test
  void draftTokensThatDoNotFitTheirTensorAreRefusedWithBothNumbers() {
    folder = newer();
    Altered.text(description(), "\"draft_tokens\": 20", "\"draft_tokens\": 21");
    assertRefused(tensors(), "exits.1.draft.ids", "20", "21");
    Altered.text(description(), "\"draft_tokens\": 21", "\"draft_tokens\": 0");
    assertRefused(description(), "draft_tokens", "0");
  }

  @Test
  void featuresOfALookaheadExitAreLayersFromShallowToDeep() {
    folder = newer();
    Altered.text(description(), "\"features\": [ 1, 2 ]", "\"features\": [ 2, 1 ]");
    assertRefused(description(), "features", "[2, 1]", "deeper than the one before");
    Altered.text(description(), "\"features\": [ 2, 1 ]", "\"features\": [ 1, 4 ]");
    assertRefused(description(), "features", "4", "3");
    Altered.text(description(), "\"features\": [ 1, 4 ]", "\"features\": [ 1, 3 ]");
    assertRefused(tensors(), "exits.3.feature_norm.3.weight");
  }

  @Test
  void aLookaheadExitStandsBehindTheLastLayer() {
    folder = newer();
    Altered.text(description(), "\"depth\": 3", "\"depth\": 2");
    assertRefused(description(), "depth", "2", "3");
  }

  @Test
  void theSameExitsGiveTheSameBytes() throws IOException {
    Path again = temp.resolve("again");
    ExitsFile.write(again, read(folder), model);
    for (String file : List.of("exits.safetensors", "exits.json")) {
      assertThat(again.resolve(file)).hasSameBinaryContentAs(folder.resolve(file));
    }
    assertThat(Altered.files(again)).containsExactly("exits.json", "exits.safetensors");
  }

  @Test
  void exitsOfAnotherBackboneAreRefusedWithBothHashes() {
    try (LanguageModel other = load(TinyModel.write(temp.resolve("other"), 2))) {
      assertThatThrownBy(() -> ExitsReader.of(other).read(folder, arena, device.kernels()))
          .isInstanceOf(InputException.class)
          .hasMessageContaining(description().toString())
          .hasMessageContaining("backbone.sha256")
          .hasMessageContaining(model.sha256())
          .hasMessageContaining(other.sha256());
    }
  }

  @Test
  void otherSizesAreRefusedWithBothValues() {
    int vocab = model.config().decoder().vocab();
    Altered.text(description(), "\"layers\": 3", "\"layers\": 4");
    assertRefused(description(), "backbone.layers is 4", "is 3");
    Altered.text(description(), "\"layers\": 4", "\"layers\": 3");
    Altered.text(description(), "\"hidden\": 16", "\"hidden\": 24");
    assertRefused(description(), "backbone.hidden is 24", "is 16");
    Altered.text(description(), "\"hidden\": 24", "\"hidden\": 16");
    Altered.text(description(), "\"vocab\": " + vocab, "\"vocab\": 999");
    assertRefused(description(), "backbone.vocab is 999", "is " + vocab);
  }

  @Test
  void depthsOutOfRangeAreRefused() {
    Altered.text(description(), "\"depth\": 2", "\"depth\": 3");
    assertRefused(description(), "depth", "3", "1 to 2");
    Altered.text(description(), "\"depth\": 3", "\"depth\": 0");
    assertRefused(description(), "depth", "0", "1 to 2");
  }

  @Test
  void twoExitsAtOneDepthAreRefused() {
    Altered.text(description(), "\"depth\": 2", "\"depth\": 1");
    assertRefused(description(), "depth", "1");
  }

  @Test
  void unknownWordsAreRefusedWithTheKnownOnes() {
    Altered.text(description(), "\"mlp\"", "\"maze\"");
    assertRefused(description(), "architecture", "maze", "embedding", "norm", "mlp", "layer");
    Altered.text(description(), "\"maze\"", "\"mlp\"");
    Altered.text(description(), "\"own\"", "\"mine\"");
    assertRefused(description(), "head", "mine", "own", "backbone");
  }

  @Test
  void otherFormatsAndVersionsAreRefused() {
    Altered.text(description(), "\"version\": 1", "\"version\": 3");
    assertRefused(description(), "version", "3", "1 to 2");
    Altered.text(description(), "\"version\": 3", "\"version\": 1");
    Altered.text(description(), "sortie-exits", "other-exits");
    assertRefused(description(), "format", "other-exits", "sortie-exits");
  }

  @Test
  void aMissingFieldIsNamed() {
    Altered.text(description(), "\"architecture\"", "\"arch\"");
    assertRefused(description(), "architecture", "missing");
  }

  @Test
  void aDescriptionThatIsNotJsonIsRefused() throws IOException {
    Files.writeString(description(), "{\"format\": ");
    assertRefused(description(), "JSON");
    Files.writeString(description(), "[1, 2]");
    assertRefused(description(), "object");
    Files.write(description(), new byte[] {'{', (byte) 0xff, '}'});
    assertRefused(description(), "UTF-8");
  }

  @Test
  void missingFilesAreNamed() throws IOException {
    Files.delete(tensors());
    assertRefused(tensors(), "no such file");
    Files.delete(description());
    assertRefused(description(), "no such file");
  }

  @Test
  void aMissingTensorIsNamedWithItsShape() {
    Altered.drop(tensors(), "exits.2.norm.weight");
    assertRefused(tensors(), "exits.2.norm.weight", "missing", "16");
  }

  @Test
  void aTensorTooManyIsNamed() {
    Altered.add(tensors(), "exits.2.spare.weight");
    assertRefused(tensors(), "exits.2.spare.weight");
  }

  @Test
  void tensorsOfAnExitThatIsNotDescribedAreRefused() {
    Altered.text(description(), "\"layer\"", "\"norm\"");
    assertRefused(tensors(), "exits.2.layer.");
  }

  @Test
  void aWrongShapeIsRefusedWithBothShapes() {
    Altered.doubleRows(tensors(), "exits.1.norm.weight");
    assertRefused(tensors(), "exits.1.norm.weight", "32", "16");
  }

  @Test
  void numbersThatAreNotFiniteAreRefused() {
    Altered.nan(tensors(), "exits.1.norm.weight", 3);
    assertRefused(tensors(), "exits.1.norm.weight", "element 3", "NaN");
  }

  @Test
  void aTruncatedFileIsRefused() {
    Altered.truncate(tensors(), 4);
    assertRefused(tensors(), "data_offsets");
  }

  @Test
  void nothingIsLeftWhereWritingFails() throws IOException {
    Path file = Files.writeString(temp.resolve("file"), "not a folder");
    assertThatThrownBy(() -> ExitsFile.write(file.resolve("below"), exits, model))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(file.resolve("below").toString());
    assertThatThrownBy(() -> ExitsFile.write(file, exits, model))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(file.toString());
    assertThat(file).hasContent("not a folder");
  }

  @Test
  void whereTheDescriptionCannotBeWrittenTheFolderHoldsNoExits() throws IOException {
    Path blocked = temp.resolve("blocked");
    Files.createDirectories(blocked.resolve("exits.json"));
    assertThatThrownBy(() -> ExitsFile.write(blocked, exits, model))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(blocked.resolve("exits.json").toString());
    assertThat(Altered.files(blocked)).noneMatch(f -> f.endsWith(".tmp"));
    assertThatThrownBy(() -> read(blocked)).isInstanceOf(InputException.class);
  }
}
