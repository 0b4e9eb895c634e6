package dev.sortie.eetuning.exit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Sharding;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DraftVocabularyContractTest {
  @Test
  void theMostFrequentTokensAreTakenAndOfEqualsTheLowerId() {
    long[] counts = {5, 0, 7, 7, 1, 5, 5};
    DraftVocabulary four = DraftVocabulary.mostFrequent(counts, 4);
    assertThat(four.ids()).containsExactly(0, 2, 3, 5);
    assertThat(four.vocab()).isEqualTo(7);
    assertThat(four.coverage(counts)).isEqualTo(24.0 / 30);
    assertThat(DraftVocabulary.mostFrequent(counts, 7).coverage(counts)).isEqualTo(1);
  }

  @Test
  void indicesAndIdsAreInverse() {
    DraftVocabulary draft = new DraftVocabulary(new int[] {1, 4, 8}, 10);
    for (int i = 0; i < draft.size(); i++) {
      assertThat(draft.index(draft.id(i))).isEqualTo(i);
    }
    for (int id : new int[] {0, 2, 9}) {
      assertThat(draft.index(id)).isNegative();
    }
    try (NativeArena arena = new NativeArena("test")) {
      Tensor tokens = Tensor.ids(arena, Shape.of(2, 2), 4, 0, 9, 8);
      Tensor indices = draft.indices(tokens, arena);
      assertThat(indices.shape()).isEqualTo(tokens.shape());
      assertThat(new int[] {at(indices, 0), at(indices, 1), at(indices, 2), at(indices, 3)})
          .containsExactly(1, -1, -1, 2);
    }
  }

  private static int at(Tensor t, int i) {
    return t.span().getInt(i);
  }

  @Test
  void whatIsNotCoveredCannotBeChosen() {
    float[] whole = new float[6];
    new DraftVocabulary(new int[] {2, 5}, 6).spread(new float[] {-3, 4}, whole);
    float no = Float.NEGATIVE_INFINITY;
    assertThat(whole).containsExactly(no, no, -3, no, no, 4);
  }

  /** Also where the head is in blocks: the bits of its rows, whatever their type. */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16", "Q8_0", "Q4_1"})
  void aDraftHeadGivesTheLogitsOfTheWholeHead(DType type) {
    int vocab = 40;
    int width = 64;
    Random random = new Random(3, 0);
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test")) {
      Tensor floats = Tensor.allocate(arena, DType.F32, Shape.of(vocab, width));
      for (long i = 0; i < floats.shape().count(); i++) {
        floats.span().set(i, random.normal(i));
      }
      Tensor head = Tensor.allocate(arena, type, floats.shape());
      device.kernels().copy(floats.span(), head.span());
      Tensor x = Tensor.allocate(arena, DType.F32, Shape.of(1, width));
      device.kernels().copy(floats.span().slice(0, width), x.span());
      DraftVocabulary draft = new DraftVocabulary(new int[] {0, 7, 21, 39}, vocab);
      Tensor rows = Sharding.NONE.rows(head, draft.ids(), arena);
      assertThat(rows.dtype()).isEqualTo(type);
      Tensor all = Tensor.allocate(arena, DType.F32, Shape.of(1, vocab));
      Tensor some = Tensor.allocate(arena, DType.F32, Shape.of(1, draft.size()));
      device.kernels().linear(x.span(), head.span(), null, all.span(), 1, vocab, width);
      device.kernels().linear(x.span(), rows.span(), null, some.span(), 1, draft.size(), width);
      for (int i = 0; i < draft.size(); i++) {
        assertThat(some.span().get(i)).isEqualTo(all.span().get(draft.id(i)));
      }
    }
  }

  @Test
  void sizesThatAVocabularyCannotGiveAreRefused() {
    assertThatThrownBy(() -> DraftVocabulary.lowest(11, 10))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("11")
        .hasMessageContaining("1 to 10");
    assertThatThrownBy(() -> DraftVocabulary.mostFrequent(new long[5], 0))
        .isInstanceOf(InputException.class);
  }

  @Test
  void idsThatDoNotRiseOrAreTooLargeAreRefused() {
    for (int[] ids : new int[][] {{}, {1, 1}, {3, 2}, {-1}, {2, 10}}) {
      assertThatThrownBy(() -> new DraftVocabulary(ids, 10)).isInstanceOf(InputException.class);
    }
  }
}
