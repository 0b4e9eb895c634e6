package dev.sortie.eetuning.exit;

import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * Hands the tensors of exits to a file and describes them in JSON.
 *
 * @param file gets the tensors
 * @param matrices type in which the file has matrices
 * @param arena for tensors that exist in the file only; open until it is written
 * @param kernels that convert
 */
record ExitWriter(SafetensorsWriter file, DType matrices, NativeArena arena, Kernels kernels) {

  Map<String, Object> write(Exit e) {
    ExitSpec spec = e.spec();
    Map<String, Object> one =
        write(
            e.depth(),
            spec.architecture().word(),
            e.sharding().whole(e.parameters(), arena),
            spec.ownHead(),
            e.draft());
    if (!e.gates().equals(Gates.NONE)) {
      one.put(Gates.FIELD, e.gates().write());
      e.gates().tensors().forEach((name, t) -> tensor(e.depth(), name, t));
    }
    return one;
  }

  /** The lookahead exit, of architecture {@code word}. */
  Map<String, Object> write(int depth, String word, Lookahead l) {
    Map<String, Object> one =
        write(depth, word, l.sharding().whole(l.parameters(), arena), l.ownHead(), l.draft());
    if (!l.readsFinalStates()) {
      one.put(ExitsFile.FEATURES, l.features());
    }
    return one;
  }

  private Map<String, Object> write(
      int depth,
      String architecture,
      SequencedMap<String, Tensor> parameters,
      boolean ownHead,
      Optional<DraftVocabulary> draft) {
    parameters.forEach((name, t) -> tensor(depth, name, t.shape().rank() > 1 ? held(t) : t));
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("depth", depth);
    one.put("architecture", architecture);
    one.put("head", ownHead ? "own" : "backbone");
    draft.ifPresent(
        d -> {
          one.put(ExitsFile.DRAFT_TOKENS, d.size());
          tensor(depth, ExitsFile.DRAFT_IDS, Tensor.ids(arena, Shape.of(d.size()), d.ids()));
        });
    return one;
  }

  private Tensor held(Tensor matrix) {
    if (matrix.dtype() == matrices) {
      return matrix;
    }
    Tensor held = Tensor.allocate(arena, matrices, matrix.shape());
    kernels.copy(matrix.span(), held.span());
    return held;
  }

  private void tensor(int depth, String name, Tensor t) {
    file.tensor(ExitsFile.prefix(depth) + name, t.span(), t.shape().dims());
  }
}
