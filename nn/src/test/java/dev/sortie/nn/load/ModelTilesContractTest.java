package dev.sortie.nn.load;

import static dev.sortie.nn.format.FormatFixtures.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.format.TinyGguf;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Workspace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which weights lie in tiles, and what is computed with them. */
class ModelTilesContractTest {
  /** Elements of the layer's matrices, and of the table. */
  private static final long LAYER = (32 + 16 + 16 + 4 * 32) * 32L;

  private static final long TABLE = TinyGguf.VOCAB * 32L;

  @TempDir Path temp;

  private final Device device = Device.cpu(2);
  private Path file;

  @BeforeEach
  void write() {
    write(DType.Q8_0);
  }

  private void write(DType type) {
    file = temp.resolve("tiny.gguf");
    try (ModelFiles files = ModelFiles.open(new TinyGguf().write(temp.resolve("f32.gguf")))) {
      ModelConverter.toGguf(files, file, type, device.kernels(), (tensor, done, all) -> {});
    }
  }

  @AfterEach
  void close() {
    device.close();
  }

  private LanguageModel load(Precision precision, Arithmetic arithmetic) {
    return LanguageModel.load(file, precision, arithmetic, device);
  }

  @Test
  void onlyBlocksAreMultipliedInIntegersAndOnlyWhereAsked() {
    try (LanguageModel model = load(Precision.FILE, Arithmetic.INTEGER)) {
      assertThat(model.arithmetic()).isEqualTo(Arithmetic.INTEGER);
      assertThat(model.device().kernels().name()).isEqualTo(device.kernels().name() + ", integer");
      assertThat(model.device().pool()).isSameAs(device.pool());
    }
    for (Precision copied : List.of(Precision.F32, Precision.BF16)) {
      try (LanguageModel model = load(copied, Arithmetic.INTEGER)) {
        assertThat(model.arithmetic()).isEqualTo(Arithmetic.EXACT);
        assertThat(model.device()).isSameAs(device);
      }
    }
    try (LanguageModel model = load(Precision.FILE, Arithmetic.EXACT)) {
      assertThat(model.arithmetic()).isEqualTo(Arithmetic.EXACT);
      assertThat(model.device()).isSameAs(device);
    }
  }

  @Test
  void theMemoryThatIsSaidIsThatOfTheTilesAndOfTheTable() {
    try (ModelFiles files = ModelFiles.open(file);
        LanguageModel model = load(Precision.FILE, Arithmetic.INTEGER)) {
      ModelMemory memory =
          ModelMemory.of(files, Precision.FILE, Arithmetic.INTEGER, DecoderBuilder.WHOLE);
      long eachBlock = 2 * 17;
      assertThat(memory.tiles()).isEqualTo((LAYER + TABLE) / 32 * eachBlock);
      assertThat(memory.inPlace()).isEqualTo(TABLE / 32 * 34 + 3 * 32 * 4);
      assertThat(memory.describe()).contains("in tiles for integer arithmetic");
      // the head's last tile is not full, and two projections do not fill theirs either
      assertThat(model.bytes() - memory.tables())
          .isBetween(memory.tiles(), memory.tiles() + 3 * 32 * eachBlock);
    }
  }

  @Test
  void aRankTilesWhatItComputesWith() {
    DecoderBuilder embeds = DecoderBuilder.part(name -> name.startsWith("model.embed"));
    DecoderBuilder layer = DecoderBuilder.part(name -> name.contains("up_proj"));
    DecoderBuilder head = DecoderBuilder.part(name -> name.equals("lm_head.weight"));
    assertThat(tiles(embeds)).isZero();
    assertThat(tiles(layer)).isEqualTo(32 * 34);
    assertThat(tiles(head)).isZero(); // of a tied one the table must be needed too
    DecoderBuilder last =
        DecoderBuilder.part(
            name -> name.equals("lm_head.weight") || name.equals("model.embed_tokens.weight"));
    assertThat(tiles(last)).isEqualTo(TinyGguf.VOCAB * 34);
    try (LanguageModel model = part(embeds)) {
      assertThat(model.device()).isSameAs(device);
    }
    try (LanguageModel model = part(layer)) {
      assertThat(model.arithmetic()).isEqualTo(Arithmetic.INTEGER);
    }
  }

  private LanguageModel part(DecoderBuilder builder) {
    return LanguageModel.load(
        ModelFiles.open(file), Precision.FILE, Arithmetic.INTEGER, device, builder);
  }

  private long tiles(DecoderBuilder builder) {
    try (ModelFiles files = ModelFiles.open(file)) {
      return ModelMemory.of(files, Precision.FILE, Arithmetic.INTEGER, builder).tiles();
    }
  }

  @Test
  void tooLittleMemoryForTilesIsSaidWithTheWayOut() {
    try (ModelFiles files = ModelFiles.open(file)) {
      ModelMemory memory =
          ModelMemory.of(files, Precision.FILE, Arithmetic.INTEGER, DecoderBuilder.WHOLE);
      assertRefused(
          () -> memory.require(files, Precision.FILE, new AvailableMemory(10_000, "a test")),
          List.of("in tiles for integer arithmetic take 15.1 KiB", "9.8 KiB", "--exact"));
    }
  }

  @Test
  void aScaleThatIsNotFiniteIsRefusedByTheTensorsName() throws IOException {
    TinyGguf zeros = new TinyGguf();
    zeros.dtype = DType.Q8_0;
    byte[] bytes = Files.readAllBytes(zeros.write(file));
    Arrays.fill(bytes, bytes.length - 34, bytes.length, (byte) 0xff);
    Files.write(file, bytes);
    assertRefused(
        () -> load(Precision.FILE, Arithmetic.INTEGER).close(),
        List.of("tiny.gguf", "tensor blk.0.ffn_down.weight: element 992 is NaN", "must be finite"));
  }

  @Test
  void aStepwiseDeviceMultipliesManyRowsAsFewOnes() {
    try (LanguageModel model = load(Precision.FILE, Arithmetic.INTEGER)) {
      float[] stepwise = product(model, model.device().stepwise(), 0, 40);
      for (int i = 0; i < 40; i++) {
        assertThat(product(model, model.device(), i, 1))
            .isEqualTo(Arrays.copyOfRange(stepwise, 32 * i, 32 * i + 32));
      }
      float[] exact = product(model, device, 0, 40);
      assertThat(product(model, model.device(), 0, 40)).isEqualTo(exact).isNotEqualTo(stepwise);
    }
    assertThat(device.stepwise()).isSameAs(device);
  }

  @Test
  void ofLevelsBelowEightBitsManyRowsAreMultipliedAsFewOnes() {
    write(DType.Q4_0);
    try (LanguageModel model = load(Precision.FILE, Arithmetic.INTEGER)) {
      float[] many = product(model, model.device(), 0, 40);
      assertThat(product(model, model.device().stepwise(), 0, 40)).isEqualTo(many);
      assertThat(product(model, device, 0, 40)).isNotEqualTo(many);
    }
  }

  /** Some of 40 rows times the query projection. */
  private static float[] product(LanguageModel model, Device on, int first, int rows) {
    try (Workspace workspace = new Workspace()) {
      Ops ops = new Ops(on, workspace);
      Tensor x = ops.empty(DType.F32, Shape.of(rows, 32));
      for (int i = 0; i < 32 * rows; i++) {
        x.span().set(i, Math.sin(32 * first + i));
      }
      Tensor q = model.decoder().layers().getFirst().attention().q().first().weight();
      Tensor y = NoGrad.call(() -> ops.linear(x, q, null));
      float[] all = new float[32 * rows];
      for (int i = 0; i < all.length; i++) {
        all[i] = (float) y.span().get(i);
      }
      return all;
    }
  }
}
