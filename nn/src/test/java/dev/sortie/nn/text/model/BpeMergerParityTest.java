package dev.sortie.nn.text.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.text.Fixtures;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The heap gives what the obvious scan gives. */
@Tag("any-kernels")
class BpeMergerParityTest {

  @Test
  void heapAndScanAgreeOnAnySymbols() {
    MergeTable merges = Fixtures.merges(Fixtures.tokenizer("smollm").spec());
    Random random = new Random(3);
    int merged = 0;
    for (int i = 0; i < 500; i++) {
      int n = random.nextInt(120);
      // Few different symbols, so that many pairs merge and runs of equal symbols occur.
      int[] ids = new int[n];
      for (int k = 0; k < n; k++) {
        int rank = random.nextInt(merges.size());
        ids[k] = i % 2 == 0 ? merges.left(rank) : 65 + random.nextInt(26);
      }
      int[] scanned = ids.clone();
      int[] heaped = ids.clone();
      int scannedLength = BpeMerger.mergeByScan(merges, scanned, n);
      int heapedLength = BpeMerger.mergeByHeap(merges, heaped, n);
      assertThat(Arrays.copyOf(heaped, heapedLength))
          .containsExactly(Arrays.copyOf(scanned, scannedLength));
      merged += n - scannedLength;
    }
    assertThat(merged).as("merges that took place").isGreaterThan(1000);
  }
}
