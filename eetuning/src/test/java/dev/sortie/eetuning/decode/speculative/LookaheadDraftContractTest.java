package dev.sortie.eetuning.decode.speculative;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.eetuning.exit.Lookahead;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The drafts are those of the definition: the exit run over the whole text at once. */
class LookaheadDraftContractTest {
  private static final int[] TEXT = {4, 8, 15, 16, 23, 42, 7, 99, 120, 31, 64, 5};

  @TempDir private Path temp;

  @ParameterizedTest
  @ValueSource(strings = {"3", "2", "1,2", "1,2,3"})
  void draftsAreThoseOfTheExitOverTheWholeText(String layers) {
    List<Integer> features = Stream.of(layers.split(",")).map(Integer::valueOf).toList();
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test");
        Workspace workspace = new Workspace();
        LanguageModel model =
            LanguageModel.load(TinyModel.write(temp.resolve("model"), 1), Precision.F32, device)) {
      Ops ops = new Ops(device, workspace);
      Decoder decoder = model.decoder();
      Lookahead exit =
          ExitInit.RANDOM.lookahead(features, false, 200, decoder, 3, arena, device.kernels());
      try (LookaheadDraft source = new LookaheadDraft(exit, decoder, 0, 40)) {
        // the text grows by one, three and two tokens, and is cut and grows again
        for (int length : new int[] {6, 7, 10, 12, 9, 11}) {
          source.rewind(Math.min(length, 9));
          NoGrad.run(
              () -> {
                Map<Integer, Tensor> states = states(ops, decoder, length - 1);
                int[] drafted = source.draft(new Whole(ops, decoder, length, states), 3).tokens();
                Tensor h = exit.join(ops, states::get);
                assertThat(drafted).as("length " + length).hasSize(3);
                assertThat(drafted[0]).isEqualTo(first(ops, exit, length, h));
                assertThat(drafted[1]).isEqualTo(second(ops, exit, length, h, drafted[0]));
              });
        }
        assertThat(source.cost()).isBetween(0.1, 0.9);
      }
    }
  }

  /** Training makes all drafts of a text at once; each must be the one that decoding makes. */
  @Test
  void statesTwoAheadAreThoseOfDecoding() {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test");
        Workspace workspace = new Workspace();
        LanguageModel model =
            LanguageModel.load(TinyModel.write(temp.resolve("model"), 1), Precision.F32, device)) {
      Ops ops = new Ops(device, workspace);
      Decoder decoder = model.decoder();
      Lookahead exit =
          ExitInit.RANDOM.lookahead(List.of(1, 2), false, 200, decoder, 3, arena, device.kernels());
      NoGrad.run(
          () -> {
            int count = TEXT.length - 2;
            Map<Integer, Tensor> states = states(ops, decoder, count);
            Tensor h = exit.join(ops, states::get);
            int[] next = Arrays.copyOfRange(TEXT, 1, count + 1);
            int[] later = Arrays.copyOfRange(TEXT, 2, count + 2);
            Tensor u = exit.input(ops, h, ids(ops, next), 0);
            Tensor one = exit.states(ops, u);
            Tensor two = exit.statesAhead(ops, exit.input(ops, one, ids(ops, later), 1), u, 1);
            for (int t = 0; t < count; t++) {
              KvCache cache = exit.cache(arena, DType.F32, TEXT.length);
              int[] until = Arrays.copyOf(next, t + 1);
              Tensor y = exit.advance(ops, Sequence.rows(h, 0, t + 1), ids(ops, until), cache, 0);
              Tensor drafted = exit.advance(ops, y, ids(ops, later[t]), cache, t + 1);
              assertThat(Sequence.rows(two, t, t + 1).toFloats())
                  .as("after token " + t)
                  .containsExactly(drafted.toFloats(), within(1e-4f));
            }
          });
    }
  }

  /** Hidden states of the first {@code count} tokens after each layer. */
  private static Map<Integer, Tensor> states(Ops ops, Decoder decoder, int count) {
    Tensor ids = Tensor.ids(ops.workspace(), Shape.of(1, count), Arrays.copyOf(TEXT, count));
    Map<Integer, Tensor> states = new HashMap<>();
    decoder.forward(ops, ids, decoder.config().layers(), (depth, a, x) -> states.put(depth, x));
    return states;
  }

  private static int first(Ops ops, Lookahead exit, int length, Tensor known) {
    int[] next = Arrays.copyOfRange(TEXT, 1, length);
    return top(ops, exit, exit.states(ops, exit.input(ops, known, ids(ops, next), 0)));
  }

  private static int second(Ops ops, Lookahead exit, int length, Tensor known, int token) {
    int[] next = Arrays.copyOfRange(TEXT, 1, length);
    Tensor y = exit.states(ops, exit.input(ops, known, ids(ops, next), 0));
    long width = known.shape().dim(-1);
    Tensor h = ops.empty(known.dtype(), Shape.of(1, length, width));
    ops.kernels().copy(known.span(), h.span().slice(0, known.span().length()));
    ops.kernels().copy(Sequence.lastRow(y).span(), h.span().slice(known.span().length(), width));
    int[] longer = Arrays.copyOf(next, length);
    longer[length - 1] = token;
    return top(ops, exit, exit.states(ops, exit.input(ops, h, ids(ops, longer), 0)));
  }

  private static Tensor ids(Ops ops, int... ids) {
    return Tensor.ids(ops.workspace(), Shape.of(1, ids.length), ids);
  }

  private static int top(Ops ops, Lookahead exit, Tensor y) {
    return exit.token(TopTokens.of(ops, exit.logits(ops, Sequence.lastRow(y))).ids()[0]);
  }

  /** All of the text's hidden states are known. */
  private record Whole(Ops ops, Decoder decoder, int length, Map<Integer, Tensor> states)
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
      throw new AssertionError("a lookahead exit reads features only");
    }

    @Override
    public Tensor features(int depth, int first, int end) {
      Tensor all = states.get(depth);
      long width = all.shape().dim(-1);
      return Tensor.of(
          all.span().slice(first * width, (end - first) * width), Shape.of(1, end - first, width));
    }

    @Override
    public int featuresFrom() {
      return 0;
    }
  }
}
