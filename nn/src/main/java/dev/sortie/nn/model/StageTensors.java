package dev.sortie.nn.model;

import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tensors that a stage of some layers computes with, by the names that {@link DecoderTensors}
 * lists.
 *
 * @param from its first layer, counted from 0
 * @param to after its last layer
 * @param embeds whether it turns ids into vectors
 * @param normalises whether it applies the final norm
 * @param readsHead whether it computes logits with the model's head
 * @param tiedHead whether the head is the embedding's table
 */
public record StageTensors(
    int from, int to, boolean embeds, boolean normalises, boolean readsHead, boolean tiedHead)
    implements Predicate<String> {
  private static final Pattern LAYER = Pattern.compile("model\\.layers\\.(\\d+)\\..*");

  @Override
  public boolean test(String tensor) {
    Optional<SharedBases.Group> group = SharedBases.group(tensor);
    if (group.isPresent()) {
      return group.get().from() < to && group.get().to() > from;
    }
    Matcher layer = LAYER.matcher(tensor);
    if (layer.matches()) {
      int i = Integer.parseInt(layer.group(1));
      return i >= from && i < to;
    }
    return switch (tensor) {
      case "model.embed_tokens.weight" -> embeds || tiedHead && readsHead;
      case "model.embed_positions.weight" -> embeds;
      case "lm_head.weight" -> readsHead;
      default -> normalises;
    };
  }
}
