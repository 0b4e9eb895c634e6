package dev.sortie.eetuning.exit;

import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * An {@link NgramTable} on disk, {@code ngrams.safetensors} in a folder of exits: of each context
 * {@code before} and {@code last}, its tokens (I32 {@code [N]}; {@code before} is -1 where one
 * token is the context), {@code next} (I32), the token that follows most often, and {@code
 * probability} (F32). Contexts rise by {@code before}, then by {@code last}.
 */
final class NgramFile {
  static final String NAME = "ngrams.safetensors";

  private NgramFile() {}

  static void write(Path folder, NgramTable table) {
    int n = table.size();
    int[] before = new int[n];
    int[] last = new int[n];
    int[] next = new int[n];
    float[] probability = new float[n];
    for (int i = 0; i < n; i++) {
      before[i] = table.before(i);
      last[i] = table.last(i);
      next[i] = table.next(i);
      probability[i] = table.probability(i);
    }
    try (NativeArena arena = new NativeArena("n-grams as they are written")) {
      Shape shape = Shape.of(n);
      new SafetensorsWriter()
          .metadata("format", "sortie-ngrams")
          .metadata("version", "1")
          .tensor("before", Tensor.ids(arena, shape, before).span(), n)
          .tensor("last", Tensor.ids(arena, shape, last).span(), n)
          .tensor("next", Tensor.ids(arena, shape, next).span(), n)
          .tensor("probability", Tensor.of(arena, shape, probability).span(), n)
          .write(folder.resolve(NAME));
    }
  }

  /**
   * The table in a folder, if it has one.
   *
   * @param vocab of the model; all ids have to be below
   * @throws InputException if the file is wrong
   */
  static Optional<NgramTable> read(Path folder, int vocab) {
    Path path = folder.resolve(NAME);
    if (!Files.exists(path)) {
      return Optional.empty();
    }
    try (Safetensors file = Safetensors.open(path)) {
      if (vocab > NgramTable.MAX_VOCAB) {
        throw new InputException(
            "%s: a table for a model of %d tokens; it may have %d at most"
                .formatted(path, vocab, NgramTable.MAX_VOCAB));
      }
      int[] before = ids(file, "before", NgramTable.NONE, vocab);
      int[] last = ids(file, "last", 0, vocab);
      int[] next = ids(file, "next", 0, vocab);
      float[] probability =
          span(file, "probability", DType.F32).segment().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
      int n = before.length;
      equal(path, "last", last.length, n);
      equal(path, "next", next.length, n);
      equal(path, "probability", probability.length, n);
      long[] contexts = new long[n];
      for (int i = 0; i < n; i++) {
        contexts[i] = NgramTable.context(before[i], last[i]);
        if (i > 0 && contexts[i] <= contexts[i - 1]) {
          throw new InputException(
              "%s: context %d is %d, %d, which does not rise from %d, %d before it"
                  .formatted(path, i, before[i], last[i], before[i - 1], last[i - 1]));
        }
        if (!(probability[i] > 0 && probability[i] <= 1)) {
          throw new InputException(
              "%s: probability %d is %s, expected a number above 0 and at most 1"
                  .formatted(path, i, probability[i]));
        }
      }
      return Optional.of(new NgramTable(contexts, next, probability));
    }
  }

  private static int[] ids(Safetensors file, String name, int least, int vocab) {
    int[] ids = span(file, name, DType.I32).segment().toArray(ValueLayout.JAVA_INT_UNALIGNED);
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < least || ids[i] >= vocab) {
        throw new InputException(
            "%s: %s %d is %d, expected %d to %d, the tokens of the model"
                .formatted(file.origin(), name, i, ids[i], least, vocab - 1));
      }
    }
    return ids;
  }

  private static Span span(Safetensors file, String name, DType type) {
    if (!file.tensors().containsKey(name)) {
      throw new InputException(
          file.origin() + ": tensor " + name + " is missing; write the table again");
    }
    Span span = file.read(name);
    if (span.dtype() != type) {
      throw new InputException(
          "%s: tensor %s has the type %s, expected %s"
              .formatted(file.origin(), name, span.dtype(), type));
    }
    return span;
  }

  private static void equal(Path file, String name, int found, int expected) {
    if (found != expected) {
      throw new InputException(
          "%s: tensor %s has %d elements, but before has %d"
              .formatted(file, name, found, expected));
    }
  }
}
