package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.train.ExitMemory;
import dev.sortie.eetuning.train.MemoryPlan;
import dev.sortie.eetuning.train.RankMemory;
import dev.sortie.eetuning.train.stage.Stage;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.parallel.mesh.Coordinates;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.pipeline.Action;
import dev.sortie.parallel.pipeline.Chain;
import dev.sortie.parallel.pipeline.ComputationType;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * How much memory training from scratch takes on each rank, before it begins.
 *
 * @param config of the model
 * @param options of the run
 * @param length tokens in a sequence
 * @param mesh of ranks
 * @param layout how stages take turns
 * @param sequence whether ranks that share weights share out the rows of the residual stream too
 * @param copies whether checkpoints are written from copies
 */
public record PretrainMemory(
    DecoderConfig config,
    PretrainOptions options,
    int length,
    Mesh mesh,
    PretrainLayout layout,
    boolean sequence,
    boolean copies)
    implements MemoryPlan {

  @Override
  public int microBatch() {
    return options.microBatch();
  }

  @Override
  public RankMemory of(Coordinates at, int microBatch) {
    return new Rank(at, (long) microBatch * length).memory();
  }

  /** One rank. Counts are floats. */
  private final class Rank {
    private final Coordinates at;
    private final long rows;
    private final Chain chain = layout.chain(mesh.pp());
    private final List<Stage> pieces;
    private final ExitMemory share;
    private final long matrix;

    /** Micro-batches whose gradients are added to a sum: they are kept apart before. */
    private final boolean adds;

    Rank(Coordinates at, long rows) {
      this.at = at;
      this.rows = rows;
      PretrainPlan plan = new PretrainPlan(config, options.exits().specs(), length, chain);
      this.pieces =
          IntStream.range(0, chain.chunks())
              .mapToObj(c -> plan.piece(chain.position(at.pp(), c)))
              .toList();
      this.share = new ExitMemory(config, mesh.tp(), at.tp(), sequence);
      this.matrix = share.vocabulary();
      this.adds = options.microBatches() > mesh.dp() && at.dp() == 0;
    }

    RankMemory memory() {
      long backbone = layers() * share.layer() + ends() + heads();
      long exits = held().stream().mapToLong(share::parameters).sum();
      long gradients = layers() * share.layer() + ends() + exits + uses() * matrix;
      long buffers = (mesh.dp() - 1) * gradients; // pages of the others count where they are read
      if (copies) {
        buffers += 2 * updated() + (at.dp() == 0 ? owned() : 0);
      }
      return new RankMemory(
          floats(backbone),
          floats(exits),
          floats(gradients + 2 * updated()),
          floats(flights() * flight() + messages() + received()),
          floats(buffers),
          JVM);
    }

    private static long floats(long count) {
      return count * Float.BYTES;
    }

    private long layers() {
      return pieces.stream().mapToLong(p -> p.to() - p.from()).sum();
    }

    private boolean isFirst() {
      return at.pp() == 0;
    }

    private boolean isLast() {
      return at.pp() == mesh.pp() - 1;
    }

    /** Norm behind the last layer, and an embedding that is not the head's matrix. */
    private long ends() {
      return (isLast() ? config.hidden() : 0) + (isFirst() && !config.tiedHead() ? matrix : 0);
    }

    /** The head's matrix, where something uses it. */
    private long heads() {
      return uses() > 0 ? matrix : 0;
    }

    /** Uses of the head's matrix, each with a gradient of its own. */
    private long uses() {
      return (isLast() ? 1 : 0) + shared(pieces) + (isFirst() && config.tiedHead() ? 1 : 0);
    }

    private long shared(List<Stage> some) {
      return specs(some).stream().filter(e -> !e.ownHead()).count();
    }

    private List<ExitSpec> specs(List<Stage> some) {
      return options.exits().specs().stream()
          .filter(e -> some.stream().anyMatch(p -> p.holds(e.depth())))
          .toList();
    }

    private List<ExitOutline> held() {
      return specs(pieces).stream().map(Rank::outline).toList();
    }

    private static ExitOutline outline(ExitSpec e) {
      return new ExitOutline(e.depth(), Optional.of(e.architecture()), e.ownHead(), 0);
    }

    /** Whether this stage updates the head's matrix. */
    private boolean owns() {
      return config.tiedHead() ? isFirst() : isLast();
    }

    /** Parameters that this rank saves, with those of its replicas. */
    private long owned() {
      return layers() * share.layer()
          + ends()
          + held().stream().mapToLong(share::parameters).sum()
          + (owns() ? matrix : 0);
    }

    /** Parameters that this replica updates. */
    private long updated() {
      return Math.ceilDiv(owned(), mesh.dp());
    }

    /** The most passes that wait for their backward at one time, whose memory is kept apart. */
    private long flights() {
      int rounds = options.microBatches() / mesh.dp();
      long open = 0;
      long most = 0;
      for (Action a : layout.schedule().actions(chain, at.pp(), rounds)) {
        open += a.type() == ComputationType.FORWARD ? 1 : -1;
        most = Math.max(most, open);
      }
      return most;
    }

    /** The memory of a pass, which fits any piece of this stage. */
    private long flight() {
      return pieces.stream().mapToLong(this::flight).max().orElse(0);
    }

    private long flight(Stage piece) {
      long layer = share.back(LAYER, rows) + (adds ? share.layer() : 0);
      long most = layer;
      for (ExitSpec e : specs(List.of(piece))) {
        ExitOutline o = outline(e);
        // the losses' logits are gone when gradients flow into the layer before
        long behind = share.kept(o, rows) + 2 * residual() + matrix + layer;
        long sums = adds ? share.parameters(o) + (e.ownHead() ? 0 : matrix) : 0;
        most = Math.max(most, Math.max(head(o), behind) + sums);
      }
      if (piece.isLast()) {
        most = Math.max(most, head(FINAL) + (adds ? matrix + config.hidden() : 0));
      }
      long kept = share.kept(LAYER, rows) + 2 * dropped();
      long begin = piece.from() == 0 ? dropped() : 0;
      return (piece.to() - piece.from()) * kept + begin + 3 * residual() + most;
    }

    /** Factors of a dropout, and what they leave. */
    private long dropped() {
      return options.dropout() > 0 ? 2 * residual() : 0;
    }

    /** What a loss takes, forward and backward. */
    private long head(ExitOutline e) {
      return share.passes(List.of(e), rows, false) + (e.ownHead() ? 0 : matrix);
    }

    private long residual() {
      return rows * config.hidden() / (sequence ? mesh.tp() : 1);
    }

    /** Hidden states and gradients that other stages send. */
    private long messages() {
      long inputs = isFirst() && chain.chunks() == 1 ? 0 : flights() + 1;
      long gradients = isLast() && chain.chunks() == 1 ? 0 : 2;
      return mesh.pp() == 1 ? 0 : (inputs + gradients) * residual();
    }

    /** The gradient of the head's matrix that a stage before the last one takes from behind. */
    private long received() {
      return mesh.pp() > 1 && !isLast() && uses() > 0 ? matrix : 0;
    }
  }

  /** A layer of the backbone, and its head, as exits. */
  private static final ExitOutline LAYER =
      new ExitOutline(0, Optional.of(ExitArchitecture.LAYER), false, 0);

  private static final ExitOutline FINAL =
      new ExitOutline(0, Optional.of(ExitArchitecture.NORM), false, 0);
}
