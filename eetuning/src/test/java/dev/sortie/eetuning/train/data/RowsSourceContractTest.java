package dev.sortie.eetuning.train.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Windows in memory. */
class RowsSourceContractTest {
  private static final int ROWS = 20;
  private static final int HELD_OUT = 3;
  private static final int TRAINING = ROWS - HELD_OUT;

  private final RowsSource source = new RowsSource(new int[ROWS][2], HELD_OUT, 1);

  @Test
  void anEpochHasEveryTrainingWindowOnceInAnOrderOfItsOwn() {
    List<Long> first = epoch(0);
    List<Long> second = epoch(1);

    Long[] all = LongStream.range(0, TRAINING).boxed().toArray(Long[]::new);
    assertThat(first).containsExactlyInAnyOrder(all);
    assertThat(second).containsExactlyInAnyOrder(all).isNotEqualTo(first);
  }

  @Test
  void anotherSeedGivesAnotherOrder() {
    RowsSource other = new RowsSource(new int[ROWS][2], HELD_OUT, 2);

    assertThat(LongStream.range(0, TRAINING).map(other::number).boxed().toList())
        .isNotEqualTo(epoch(0));
  }

  private List<Long> epoch(int number) {
    long from = (long) number * TRAINING;
    return LongStream.range(from, from + TRAINING).map(source::number).boxed().toList();
  }
}
