package dev.sortie.eetuning.exit;

import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.memory.NativeArena;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * Hands the tensors of exits to a file and describes them in JSON.
 *
 * @param file gets the tensors
 * @param arena for tensors that exist in the file only; open until it is written
 */
record ExitWriter(SafetensorsWriter file, NativeArena arena) {

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
    return write(depth, word, l.sharding().whole(l.parameters(), arena), l.ownHead(), l.draft());
  }

  private Map<String, Object> write(
      int depth,
      String architecture,
      SequencedMap<String, Tensor> parameters,
      boolean ownHead,
      Optional<DraftVocabulary> draft) {
    parameters.forEach((name, t) -> tensor(depth, name, t));
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

  private void tensor(int depth, String name, Tensor t) {
    file.tensor(ExitsFile.prefix(depth) + name, t.span(), t.shape().dims());
  }
}
