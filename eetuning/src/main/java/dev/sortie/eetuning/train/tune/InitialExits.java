package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.file.Sha256;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.memory.NativeArena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Which exits a run began with: it is resumed only from the same.
 *
 * @param words each exit in words
 * @param sha256 of all their tensors
 */
record InitialExits(List<String> words, String sha256) {

  /** Of some exits. Where ranks share their weights it puts together one tensor at a time. */
  static InitialExits of(Exits start, TuneOptions options) {
    List<String> words = new ArrayList<>();
    Sha256 sha = new Sha256();
    start
        .exits()
        .forEach(
            e -> {
              words.add(e.depth() + " " + e.spec().architecture().word());
              update(sha, e.sharding(), e.parameters());
            });
    start
        .lookahead()
        .ifPresent(
            l -> {
              String features = l.readsFinalStates() ? "" : " of layers " + l.features();
              // earlier versions let further steps attend to the exit's own states
              String text = options.lookahead().unroll() > 1 ? " attending to the text" : "";
              words.add("lookahead " + options.lookahead() + features + text);
              update(sha, l.sharding(), l.parameters());
            });
    return new InitialExits(List.copyOf(words), sha.hex());
  }

  private static void update(Sha256 sha, Sharding sharding, Map<String, Tensor> parameters) {
    parameters.forEach(
        (name, t) -> {
          try (NativeArena arena = new NativeArena("exits to begin with")) {
            SequencedMap<String, Tensor> one = new LinkedHashMap<>(Map.of(name, t));
            sha.update(sharding.whole(one, arena).get(name).span());
          }
        });
  }

  /** Adds it to what decides the result. */
  void addTo(Map<String, Object> fingerprint) {
    fingerprint.put("exits", words);
    fingerprint.put("exits_start", sha256);
  }
}
