package dev.sortie.tensor.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.kernel.tile.TiledWeight;
import dev.sortie.tensor.memory.Span;
import dev.sortie.tensor.suite.ExactCases;
import dev.sortie.tensor.suite.KernelCase;
import dev.sortie.tensor.suite.KernelCases;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What calls say about their operands holds for every call of the suites. */
class KernelCallContractTest {
  /** Longer ones would show nothing more. */
  private static final int LONGEST = 10_000;

  @Test
  void callsReadAndWriteWhatTheySay() {
    Kernels checked = new Checked();
    Stream.concat(KernelCases.all().stream(), ExactCases.all(1).limit(400))
        .filter(c -> c.operands().stream().allMatch(o -> o == null || o.values().length < LONGEST))
        .forEach((KernelCase c) -> c.run(checked, false));
  }

  /** The reference, which checks each call before and after. */
  private static final class Checked implements Kernels {
    private static final KernelCall.Binding SAME =
        new KernelCall.Binding() {
          @Override
          public Span read(Span span) {
            return span;
          }

          @Override
          public Span update(Span span) {
            return span;
          }

          @Override
          public Span write(Span span) {
            return span;
          }
        };

    private final Kernels reference = new ScalarKernels();

    @Override
    public String name() {
      return "checked";
    }

    @Override
    public void run(KernelCall call) {
      assertThat(call.bind(SAME)).isEqualTo(call);
      List<Span> reads = call.reads();
      List<Span> writes = call.writes();
      List<Span> only = reads.stream().filter(s -> !writes.contains(s)).toList();
      List<ByteBuffer> before = contents(only);
      reference.run(call);
      assertThat(contents(only)).as("what %s only reads", call.name()).isEqualTo(before);
      if (writes.stream().noneMatch(reads::contains)) {
        List<ByteBuffer> results = contents(writes);
        writes.forEach(s -> s.segment().fill((byte) 0x41));
        reference.run(call);
        assertThat(contents(writes)).as("what %s only writes", call.name()).isEqualTo(results);
      }
    }

    private static List<ByteBuffer> contents(List<Span> spans) {
      return spans.stream().map(s -> ByteBuffer.wrap(s.segment().toArray(JAVA_BYTE))).toList();
    }

    @Override
    public double sum(KernelQuery.Sum call) {
      return reference.sum(call);
    }

    @Override
    public TiledWeight tile(KernelQuery.Tile call) {
      return reference.tile(call);
    }

    @Override
    public PackedWeight pack(KernelQuery.Pack call) {
      return reference.pack(call);
    }
  }
}
