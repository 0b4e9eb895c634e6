package dev.sortie.eetuning.train;

import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.parallel.shard.DecoderShard;
import dev.sortie.parallel.shard.ShardRange;
import java.util.List;

/**
 * How much memory exits take on one rank of those that share their weights, in floats: the formulas
 * of docs/memory.md.
 *
 * @param config of the backbone
 * @param share this rank's sizes
 * @param ranks that share the weights
 * @param index this rank's position among them
 * @param sequence whether they share out the rows of the residual stream too
 */
public record ExitMemory(
    DecoderConfig config, DecoderConfig share, int ranks, int index, boolean sequence) {
  private static final long CHUNK_BYTES = 64L << 20;

  public ExitMemory(DecoderConfig config, int ranks, int index, boolean sequence) {
    this(config, DecoderShard.of(config, ranks, index).config(), ranks, index, sequence);
  }

  /** An exit's parameters. */
  public long parameters(ExitOutline e) {
    long c = config.hidden();
    long head = e.ownHead() ? tokens(e).count() * c : 0;
    if (e.isLookahead()) {
      return head + 2 * c + 2 * c * c + layer();
    }
    return head
        + switch (e.architecture().orElseThrow()) {
          case EMBEDDING -> 0;
          case NORM -> c;
          case MLP -> mlp() + c;
          case LAYER -> layer() + c;
        };
  }

  /** The tokens that an exit's head covers, of which this rank has some. */
  private ShardRange tokens(ExitOutline e) {
    return ShardRange.of(e.draftTokens() == 0 ? config.vocab() : e.draftTokens(), ranks, index);
  }

  /** Parameters of the embedding, or of a head over all tokens. */
  public long vocabulary() {
    return (long) share.vocab() * config.hidden();
  }

  private long mlp() {
    return (config.switches().gated() ? 3L : 2L) * config.hidden() * share.ffn();
  }

  /** Parameters of a layer. */
  public long layer() {
    return mlp() + 2L * config.hidden() * (queries() + keys()) + 2L * config.hidden();
  }

  private long queries() {
    return (long) share.heads() * config.headSize();
  }

  private long keys() {
    return (long) share.kvHeads() * config.headSize();
  }

  /**
   * What the passes of exits need of one micro-batch.
   *
   * @param rows tokens of the micro-batch
   * @param kl whether exits that share a teacher are computed together
   */
  public long passes(List<ExitOutline> exits, long rows, boolean kl) {
    long all = 0;
    long most = 0;
    long chunks = 0;
    for (ExitOutline e : exits) {
      long chunk = chunk(tokens(e), rows);
      chunks = Math.max(chunks, chunk);
      boolean together = kl && !e.isLookahead();
      long head = e.ownHead() ? tokens(e).count() * config.hidden() : 0;
      long pass = (together ? kept(e, rows) : kept(e, rows) + back(e, rows)) + head;
      if (together) {
        all += pass;
      } else {
        // the gradient of shared logits lies beside them
        most = Math.max(most, pass + (kl ? 3 : ranks > 1 ? 2 : 1) * chunk);
      }
    }
    if (all > 0) {
      all += exits.stream().mapToLong(e -> shared(e, rows)).max().orElse(0) + 3 * chunks;
    }
    return Math.max(all, most);
  }

  /** Logits that are in memory at one time. */
  private long chunk(ShardRange tokens, long rows) {
    long bytes = ranks > 1 ? CHUNK_BYTES / 2 : CHUNK_BYTES;
    long most = Math.clamp(bytes / Float.BYTES / tokens.widest() / 16 * 16, 128, 512);
    return Math.min(rows, most) * tokens.count();
  }

  /**
   * Floats of a pass: some numbers of the residual stream's width a token, of which with sequence
   * parallelism each rank has its rows, and others of this rank's own widths.
   */
  private long floats(long rows, long residual, long own) {
    return residual * (sequence ? rows / ranks : rows) * config.hidden() + rows * own;
  }

  /** What an exit keeps for its backward pass. */
  public long kept(ExitOutline e, long rows) {
    long f = share.ffn();
    return switch (e.architecture().orElse(ExitArchitecture.LAYER)) {
      case EMBEDDING -> floats(rows, 0, gathered(1));
      case NORM -> floats(rows, 2, gathered(2));
      case MLP -> floats(rows, 6, gathered(2) + 3 * f);
      case LAYER -> floats(rows, 6, gathered(6) + 3 * queries() + 3 * keys() + 3 * f);
    };
  }

  /** Gradients and the like that are there at one time. */
  public long back(ExitOutline e, long rows) {
    long f = share.ffn();
    return switch (e.architecture().orElse(ExitArchitecture.LAYER)) {
      case EMBEDDING -> floats(rows, 4, 0);
      case NORM -> floats(rows, 2, 0);
      case MLP -> floats(rows, 1, gathered(1) + 3 * f);
      case LAYER -> floats(rows, 10, gathered(1) + 3 * f);
    };
  }

  /** The same where the exits' graphs are walked one after another. */
  private long shared(ExitOutline e, long rows) {
    return switch (e.architecture().orElse(ExitArchitecture.LAYER)) {
      case EMBEDDING, NORM -> floats(rows, 1, 0);
      case MLP, LAYER -> floats(rows, 3, gathered(4) + 3L * share.ffn());
    };
  }

  /** With sequence parallelism, what projections read of all rows. */
  private long gathered(int times) {
    return sequence ? (long) times * config.hidden() : 0;
  }
}
