package dev.sortie.nn.load;

import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderTensors;
import dev.sortie.nn.model.SharedBases;
import dev.sortie.nn.model.SharedBases.Shared;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.Set;

/**
 * What a user asks of shared bases. As in Basis Sharing (arXiv 2410.03765, section 3, and its
 * published settings), the projections that read the residual stream share theirs; those into it,
 * whose inputs differ more from layer to layer, have one in each layer.
 *
 * @param rank vectors of each basis; a kind of projection whose full rank is lower has that
 * @param keep share of the projections' numbers to keep, instead: each kind gets the rank {@code
 *     keep n K N / (K + n N)}, rounded down, at which basis and coefficients take that share
 */
public record BasisRequest(OptionalInt rank, OptionalDouble keep) {
  private static final Set<String> OWN = Set.of("self_attn.o_proj", "mlp.down_proj");

  /** One of the two. */
  public BasisRequest {
    if (rank.isPresent() == keep.isPresent()) {
      throw new UsageException("give one of --rank and --keep");
    }
    keep.ifPresent(
        k -> {
          if (!(k > 0 && k <= 1)) {
            throw new UsageException("--keep " + k + " is not above 0 and up to 1");
          }
        });
  }

  /**
   * Bases for a model that has none.
   *
   * @param layers how many neighbours share one
   */
  public SharedBases of(DecoderConfig config, int layers) {
    if (layers < 1 || layers > config.layers()) {
      throw new InputException(
          "--share-basis %d is outside 1 to %d, the layers of the model"
              .formatted(layers, config.layers()));
    }
    if (!config.switches().bases().isNone()) {
      throw new InputException(
          "the layers of this model share bases already; without --share-basis, --rank or --keep cuts"
              + " them");
    }
    SequencedMap<String, Shared> all = new LinkedHashMap<>();
    for (String name : SharedBases.names(config)) {
      all.put(name, new Shared(OWN.contains(name) ? 1 : layers, Integer.MAX_VALUE));
    }
    return ranked(config, new SharedBases(all));
  }

  /** Bases for a model that has some, cut to fewer vectors. */
  public SharedBases cut(DecoderConfig config) {
    return ranked(config.withBases(SharedBases.NONE), config.switches().bases());
  }

  /** The same with the ranks that are asked for, none above those of {@code most}. */
  private SharedBases ranked(DecoderConfig config, SharedBases most) {
    SequencedMap<String, List<Long>> shapes = DecoderTensors.of(config);
    SequencedMap<String, Shared> all = new LinkedHashMap<>();
    long highest = 0;
    for (var e : most.projections().entrySet()) {
      Shared s = e.getValue();
      List<Long> shape = shapes.get("model.layers.0." + e.getKey() + ".weight");
      long inputs = shape.get(1);
      long outputs = s.layers() * shape.get(0);
      long full = Math.min(s.rank(), Math.min(inputs, outputs));
      highest = Math.max(highest, full);
      long wanted =
          rank.isPresent()
              ? rank.getAsInt()
              : (long) (keep.getAsDouble() * inputs * outputs / (inputs + outputs));
      if (wanted < 1 && keep.isPresent()) {
        throw new InputException(
            "--keep %s leaves %s no rank; take more than %s"
                .formatted(
                    keep.getAsDouble(), e.getKey(), 1.0 * (inputs + outputs) / (inputs * outputs)));
      }
      all.put(e.getKey(), new Shared(s.layers(), (int) Math.min(wanted, full)));
    }
    int asked = rank.orElse(1);
    if (asked < 1 || asked > highest) {
      throw new InputException(
          "--rank %d is outside 1 to %d, the highest rank of this model's projections"
              .formatted(asked, highest));
    }
    return new SharedBases(all);
  }
}
