package dev.sortie.eetuning.serve.engine;

import dev.sortie.eetuning.decode.batch.PagePool;
import dev.sortie.nn.UsageException;

/**
 * What a {@link TextEngine} may take.
 *
 * @param parallel texts generated at once at most
 * @param queue requests that wait at most
 * @param cacheTokens tokens that the KV cache holds, of all texts together
 * @param drafts whether tokens are drafted where that is faster
 */
public record EngineSettings(int parallel, int queue, int cacheTokens, boolean drafts) {
  public EngineSettings {
    if (parallel < 1 || parallel > 4096) {
      throw new UsageException("--parallel " + parallel + " is outside 1 to 4096");
    }
    if (queue < 0 || queue > 1 << 20) {
      throw new UsageException("--queue " + queue + " is outside 0 to " + (1 << 20));
    }
    if (cacheTokens < PagePool.PAGE_TOKENS) {
      throw new UsageException(
          "--cache-tokens "
              + cacheTokens
              + " is too few; take at least a page of "
              + PagePool.PAGE_TOKENS);
    }
  }

  /** With drafts. */
  public EngineSettings(int parallel, int queue, int cacheTokens) {
    this(parallel, queue, cacheTokens, true);
  }

  /** Pages of the cache. */
  int pages() {
    return Math.ceilDiv(cacheTokens, PagePool.PAGE_TOKENS);
  }
}
