package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.exit.DraftVocabulary;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.exit.NgramTable;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Exits that were written, as JSON has them. */
public final class ExitsJson {
  private ExitsJson() {}

  /** What {@code folder} holds now. */
  public static Map<String, Object> of(Exits exits, Path folder) {
    List<Map<String, Object>> list = new ArrayList<>();
    exits
        .exits()
        .forEach(
            e ->
                list.add(
                    exit(
                        e.depth(),
                        e.spec().architecture().word(),
                        e.spec().ownHead(),
                        e.draft(),
                        e.parameters())));
    exits
        .lookahead()
        .ifPresent(
            l -> {
              Map<String, Object> one =
                  exit("lookahead", "lookahead", l.ownHead(), l.draft(), l.parameters());
              one.put("features", l.features());
              list.add(one);
            });
    return Json.object(
        "out",
        folder.toString(),
        "exits",
        list,
        "parameters",
        list.stream().mapToLong(e -> (Long) e.get("parameters")).sum(),
        "ngrams",
        exits.ngrams().map(NgramTable::size).orElse(0),
        "backbone_sha256",
        exits.backboneSha256(),
        "exits_sha256",
        Sha256.of(folder.resolve(ExitsFile.TENSORS)));
  }

  private static Map<String, Object> exit(
      Object exit,
      String architecture,
      boolean ownHead,
      Optional<DraftVocabulary> draft,
      Map<String, Tensor> parameters) {
    return Json.object(
        "exit",
        exit,
        "architecture",
        architecture,
        "head",
        ownHead ? "own" : "backbone",
        "draft_tokens",
        draft.map(DraftVocabulary::size).orElse(0),
        "parameters",
        parameters.values().stream().mapToLong(t -> t.shape().count()).sum());
  }
}
