package dev.sortie.nn.load;

import dev.sortie.nn.family.Families;
import dev.sortie.nn.family.FileTensor;
import dev.sortie.nn.family.GgufCheckpoint;
import dev.sortie.nn.format.TensorInfo;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.function.Function;

/**
 * The tensors of a model one at a time, in the type and the order of rows that another file has
 * them in. Each lasts until the next one is asked for.
 */
final class ConvertedTensors implements AutoCloseable {
  private final ModelFiles from;
  private final DecoderConfig config;
  private final Kernels kernels;
  private final ModelConverter.Progress progress;
  private NativeArena scratch = new NativeArena("tensor that is converted");
  private long done;
  private long total;

  ConvertedTensors(ModelFiles from, Kernels kernels, ModelConverter.Progress progress) {
    this.from = from;
    this.config = from.config().decoder();
    this.kernels = kernels;
    this.progress = progress;
  }

  /** More bytes will be asked for. */
  void expect(long bytes) {
    total += bytes;
  }

  /** All tensors are written. */
  void finished() {
    progress.see("", done, total);
  }

  /** A tensor of a GGUF file: the decoder's that it holds, one after the other. */
  Span gguf(FileTensor e, DType to) {
    start(e.name());
    boolean interleaved = GgufCheckpoint.isInterleaved(from.config().family());
    if (e.parts().size() == 1) {
      Span rows = ordered(e.parts().getFirst(), interleaved);
      done += to.bytes(rows.length());
      return rows.dtype() == to ? rows : copied(rows, to);
    }
    Span out = scratch.allocate(to, TensorInfo.elements(e.shape())).span();
    long at = 0;
    for (String part : e.parts()) {
      Span rows = ordered(part, interleaved);
      kernels.copy(copied(rows, to), out.slice(at, rows.length()));
      at += rows.length();
    }
    done += out.bytes();
    return out;
  }

  /** A tensor of {@code safetensors} from the decoder's, rows in the order of Hugging Face. */
  Span safetensors(FileTensor e, DType to) {
    start(e.name());
    String family = from.config().family();
    String first = e.parts().getFirst();
    done += to.bytes(TensorInfo.elements(e.shape()));
    if (Families.isWhole(family, first)) {
      Span rows = ordered(first, false);
      return rows.dtype() == to ? rows : copied(rows, to);
    }
    Span out = scratch.allocate(to, TensorInfo.elements(e.shape())).span();
    for (String part : e.parts()) {
      Span rows = ordered(part, false);
      Span typed = rows.dtype() == to ? rows : copied(rows, to);
      Families.put(family, config, part, typed, out);
    }
    return out;
  }

  /** A tensor of the file under the name that it has there. */
  Span stored(String name, DType to) {
    start(name);
    Span rows = from.stored().read(name);
    TensorInfo info = from.stored().tensors().get(name);
    Finite.check(rows, info.file() + ": tensor " + name);
    done += to.bytes(rows.length());
    return rows.dtype() == to ? rows : copied(rows, to);
  }

  /**
   * A tensor that no file has.
   *
   * @param make makes it in F32; may use memory that lasts as long as the tensor does
   */
  Span made(String name, DType to, Function<NativeArena, Span> make) {
    start(name);
    Span made = make.apply(scratch);
    done += to.bytes(made.length());
    return made.dtype() == to ? made : copied(made, to);
  }

  private void start(String name) {
    progress.see(name, done, total);
    scratch.close();
    scratch = new NativeArena("tensor that is converted");
  }

  /** A tensor of numbers that no file has as one. */
  Span numbers(String name, List<Float> numbers) {
    start(name);
    Span out = scratch.allocate(DType.F32, numbers.size()).span();
    for (int i = 0; i < numbers.size(); i++) {
      out.set(i, numbers.get(i));
    }
    done += out.bytes();
    return out;
  }

  /** A tensor of the decoder, rows of queries and keys in the wanted order. */
  private Span ordered(String name, boolean interleaved) {
    TensorInfo info = from.weights().tensors().get(name);
    Span stored = from.weights().read(name);
    Finite.check(stored, info.where());
    boolean queries = name.contains(".self_attn.q_proj.");
    boolean rotary = queries || name.contains(".self_attn.k_proj.");
    int heads = queries ? config.heads() : config.kvHeads();
    return rotary && interleaved != config.ropeInterleaved()
        ? RotaryRows.reordered(scratch, stored, heads, config.headSize(), interleaved)
        : stored;
  }

  /** Through F32 between two quantised types. */
  private Span copied(Span rows, DType to) {
    Span source = rows;
    if (to.isQuantised() && rows.dtype() != DType.F32) {
      source = scratch.allocate(DType.F32, rows.length()).span();
      kernels.copy(rows, source);
    }
    Span out = scratch.allocate(to, rows.length()).span();
    kernels.copy(source, out);
    return out;
  }

  @Override
  public void close() {
    scratch.close();
  }
}
