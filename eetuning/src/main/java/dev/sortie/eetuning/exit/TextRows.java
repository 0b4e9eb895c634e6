package dev.sortie.eetuning.exit;

import dev.sortie.nn.Linear;
import dev.sortie.nn.Sharding;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.Arrays;

/** The tokens of one text that one draft head lacks, and their rows. See {@link TextTokens}. */
final class TextRows {
  private final DraftVocabulary draft;
  private final Sharding sharding;
  private final Linear whole;
  private final Tensor weight;

  /** Null where the backbone's head has none. */
  private final Tensor bias;

  /** The tokens, in the order of their first places. */
  private final int[] ids;

  /** Where each of them stands first, rising. */
  private final int[] places;

  private int count;

  /** Of an empty text; at most {@code most} rows, held as those of {@code exit} are. */
  TextRows(Exit exit, int most, Allocator allocator) {
    this.draft = exit.draft().orElseThrow();
    this.sharding = exit.backbone().sharding();
    this.whole = exit.backbone().head();
    Tensor stored = exit.head().weight();
    this.weight = Tensor.allocate(allocator, stored.dtype(), Shape.of(most, stored.shape().dim(1)));
    this.bias =
        whole.bias() == null
            ? null
            : Tensor.allocate(allocator, exit.head().bias().dtype(), Shape.of(most));
    this.ids = new int[most];
    this.places = new int[most];
  }

  /** Takes from {@code tokens} at {@code position ..} what is new. */
  void read(Ops ops, int position, int[] tokens) {
    int before = count;
    for (int i = 0; i < tokens.length && count < ids.length; i++) {
      int id = tokens[i];
      if (draft.index(id) < 0 && !has(id)) {
        ids[count] = id;
        places[count++] = position + i;
      }
    }
    if (count > before) {
      fetch(ops, before);
    }
  }

  private boolean has(int id) {
    for (int i = 0; i < count; i++) {
      if (ids[i] == id) {
        return true;
      }
    }
    return false;
  }

  private void fetch(Ops ops, int from) {
    int[] some = Arrays.copyOfRange(ids, from, count);
    Tensor rows = sharding.wholeRows(whole.weight(), some, ops.workspace());
    long width = weight.shape().dim(1);
    QuantizedWeights.hold(
        rows, weight.span().slice(from * width, some.length * width), ops.kernels());
    if (bias != null) {
      Tensor column = Tensor.of(whole.bias().span(), Shape.of(whole.bias().shape().count(), 1));
      Tensor added = sharding.wholeRows(column, some, ops.workspace());
      bias.span().slice(from, some.length).segment().copyFrom(added.span().segment());
    }
  }

  void rewind(int length) {
    count = upTo(length);
  }

  /** How many of them stand among the first {@code length} tokens. */
  private int upTo(int length) {
    int at = Arrays.binarySearch(places, 0, count, length);
    return at < 0 ? -at - 1 : at;
  }

  /** The stored logits, and after them those of the text's tokens up to {@code place}. */
  ExitAnswer answer(Ops ops, Exit exit, Tensor state, Tensor stored, int place) {
    int more = upTo(place);
    if (more == 0) {
      return ExitAnswer.of(ops, exit, stored);
    }
    int known = draft.size();
    int width = weight.shape().size(1);
    Tensor all = ops.empty(stored.dtype(), Shape.of(1, known + more));
    ops.kernels().copy(stored.span(), all.span().slice(0, known));
    Span rows = weight.span().slice(0, (long) more * width);
    Span added = bias == null ? null : bias.span().slice(0, more);
    ops.kernels().linear(state.span(), rows, added, all.span().slice(known, more), 1, more, width);
    return new ExitAnswer(ops, exit, all, Arrays.copyOf(ids, more));
  }
}
