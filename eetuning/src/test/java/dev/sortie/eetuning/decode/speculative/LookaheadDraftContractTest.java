package dev.sortie.eetuning.decode.speculative;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.eetuning.exit.Lookahead;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The drafts are those of the definition: the exit run over the whole text at once. */
class LookaheadDraftContractTest {
  private static final int[] TEXT = {4, 8, 15, 16, 23, 42, 7, 99, 120, 31, 64, 5};

  @TempDir private Path temp;

  @Test
  void draftsAreThoseOfTheExitOverTheWholeText() {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test");
        Workspace workspace = new Workspace();
        LanguageModel model =
            LanguageModel.load(TinyModel.write(temp.resolve("model"), 1), Precision.F32, device)) {
      Ops ops = new Ops(device, workspace);
      Decoder decoder = model.decoder();
      Lookahead exit = ExitInit.RANDOM.lookahead(false, 200, decoder, 3, arena, device.kernels());
      try (LookaheadDraft source = new LookaheadDraft(exit, decoder, 0, 40)) {
        // the text grows by one, three and two tokens, and is cut and grows again
        for (int length : new int[] {6, 7, 10, 12, 9, 11}) {
          source.rewind(Math.min(length, 9));
          NoGrad.run(
              () -> {
                Tensor finals = finals(ops, decoder, length - 1);
                int[] drafted = source.draft(new Whole(ops, decoder, length, finals), 3).tokens();
                assertThat(drafted).as("length " + length).hasSize(3);
                assertThat(drafted[0]).isEqualTo(first(ops, exit, length, finals));
                assertThat(drafted[1]).isEqualTo(second(ops, exit, length, finals, drafted[0]));
              });
        }
        assertThat(source.cost()).isBetween(0.1, 0.9);
      }
    }
  }

  /** Final hidden states of the first {@code count} tokens. */
  private static Tensor finals(Ops ops, Decoder decoder, int count) {
    Tensor ids = Tensor.ids(ops.workspace(), Shape.of(1, count), Arrays.copyOf(TEXT, count));
    return decoder.forward(ops, ids, decoder.config().layers(), Decoder.Tap.NONE);
  }

  private static int first(Ops ops, Lookahead exit, int length, Tensor finals) {
    int[] next = Arrays.copyOfRange(TEXT, 1, length);
    return top(ops, exit, exit.states(ops, finals, ids(ops, next)));
  }

  private static int second(Ops ops, Lookahead exit, int length, Tensor finals, int token) {
    int[] next = Arrays.copyOfRange(TEXT, 1, length);
    Tensor y = exit.states(ops, finals, ids(ops, next));
    long width = finals.shape().dim(-1);
    Tensor h = ops.empty(finals.dtype(), Shape.of(1, length, width));
    ops.kernels().copy(finals.span(), h.span().slice(0, finals.span().length()));
    ops.kernels().copy(Sequence.lastRow(y).span(), h.span().slice(finals.span().length(), width));
    int[] longer = Arrays.copyOf(next, length);
    longer[length - 1] = token;
    return top(ops, exit, exit.states(ops, h, ids(ops, longer)));
  }

  private static Tensor ids(Ops ops, int[] ids) {
    return Tensor.ids(ops.workspace(), Shape.of(1, ids.length), ids);
  }

  private static int top(Ops ops, Lookahead exit, Tensor y) {
    return exit.token(TopTokens.of(ops, exit.logits(ops, Sequence.lastRow(y))).ids()[0]);
  }

  /** All of the text's final states are known. */
  private record Whole(Ops ops, Decoder decoder, int length, Tensor finals)
      implements DraftContext {
    @Override
    public int token(int position) {
      return TEXT[position];
    }

    @Override
    public HiddenState descend(int token) {
      throw new AssertionError("a lookahead exit runs no layer of the backbone");
    }

    @Override
    public Tensor hidden(int first, int end) {
      throw new AssertionError("a lookahead exit reads final states only");
    }

    @Override
    public Tensor finalStates(int first, int end) {
      long width = finals.shape().dim(-1);
      return Tensor.of(
          finals.span().slice(first * width, (end - first) * width),
          Shape.of(1, end - first, width));
    }

    @Override
    public int finalStatesFrom() {
      return 0;
    }
  }
}
