package dev.sortie.eetuning.decode.batch;

import dev.sortie.eetuning.decode.batch.PrefixIndex.Page;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.PageTable;
import dev.sortie.nn.PagedKvCache;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The KV cache of many sequences: a fixed number of pages, each with the keys and values of some
 * tokens in a row for all layers, exits' own too. A sequence is given all pages that it may need
 * when it begins, so none fails half way for want of memory.
 *
 * <p>Sequences that begin with the same tokens share the pages of that beginning. Shared are pages
 * that a prompt filled, and of a prompt some tokens are always read: then a text has the same bits
 * whether its beginning was found or read, for the keys of a token read among many others have one
 * set of bits and those of a token generated another. The page in which a prompt ends, and those of
 * generated tokens, are the sequence's own, so nothing that is shared is ever written.
 *
 * <p>A layer's pages lie side by side, and free ones in a row are given where there are some. So a
 * sequence is a few long runs to the attention kernels, whatever the size of a page. Not
 * thread-safe.
 */
public final class PagePool implements AutoCloseable {
  /**
   * Tokens a page: what a sequence leaves empty in its last page is half of it on average, and what
   * two sequences share is a multiple of it.
   */
  public static final int PAGE_TOKENS = 64;

  private final int pageTokens;
  private final int pages;
  private final boolean reuse;

  /** In huge pages, however few tokens a layer has room for. */
  private final NativeArena arena = NativeArena.reserving("page pool");

  /** By layer: {@code [pages * pageTokens, K, D]}. */
  private final List<Store> layers;

  /** By exit; null where it has no layer of its own. */
  private final List<Store> exits = new ArrayList<>();

  private final BitSet taken = new BitSet();
  private final PrefixIndex index = new PrefixIndex();
  private final Page plain = Page.root(1);
  private final Page withExits = Page.root(2);

  private record Store(Tensor keys, Tensor values) {
    KvCache of(PageTable table) {
      return new PagedKvCache(keys, values, table);
    }
  }

  /**
   * A pool.
   *
   * @param exits those whose own layers sequences may use, in addition to the backbone's
   * @param pages how many; {@link #bytes} says what that takes
   * @param pageTokens tokens a page, more than {@link Kernels#ROW_STABLE}
   * @param reuse whether beginnings are shared
   */
  public PagePool(Decoder decoder, Exits exits, int pages, int pageTokens, boolean reuse) {
    if (pages < 1
        || pageTokens <= Kernels.ROW_STABLE
        || (long) pages * pageTokens > Integer.MAX_VALUE) {
      throw new InputException(
          "a pool of "
              + pages
              + " pages of "
              + pageTokens
              + " tokens; take 1 page or more, of more than "
              + Kernels.ROW_STABLE
              + " tokens");
    }
    this.pages = pages;
    this.pageTokens = pageTokens;
    this.reuse = reuse;
    DecoderConfig c = decoder.config();
    Shape s = decoder.cacheShape(pages * pageTokens);
    Shape own = Shape.of(s.dim(0), c.kvHeads(), c.headSize());
    this.layers =
        arena.orClose(() -> IntStream.range(0, c.layers()).mapToObj(_ -> store(s)).toList());
    for (Exit e : exits.exits()) {
      this.exits.add(e.hasCache() ? arena.orClose(() -> store(own)) : null);
    }
  }

  private Store store(Shape s) {
    return new Store(Tensor.allocate(arena, DType.F32, s), Tensor.allocate(arena, DType.F32, s));
  }

  /** Bytes that one page takes. */
  public static long pageBytes(Decoder decoder, Exits exits, int pageTokens) {
    DecoderConfig c = decoder.config();
    long own = exits.exits().stream().filter(Exit::hasCache).count();
    long floats =
        c.layers() * decoder.cacheShape(pageTokens).count()
            + own * pageTokens * c.kvHeads() * c.headSize();
    return 2 * Float.BYTES * floats;
  }

  /** Tokens a page. */
  public int pageTokens() {
    return pageTokens;
  }

  /** Pages in all. */
  public int pages() {
    return pages;
  }

  /** Pages that no sequence reads: free, or with a beginning that could be forgotten. */
  public int available() {
    return pages - taken.cardinality() + index.forgettable();
  }

  /** Forgets all beginnings that no sequence reads. */
  public void forget() {
    for (int left = index.forgettable(); left > 0; left--) {
      taken.clear(index.forget());
    }
  }

  /** Memory held, in bytes, whatever is in use. */
  public long bytes() {
    return arena.bytes();
  }

  /** Fails if a sequence of {@code tokens} tokens could never be held. */
  void requirePossible(int tokens) {
    if (count(tokens) > pages) {
      throw new InputException(
          "a text of "
              + tokens
              + " tokens needs "
              + count(tokens)
              + " pages of the KV cache and there are "
              + pages
              + " of "
              + pageTokens
              + " tokens; ask for a shorter text or give the cache more memory");
    }
  }

  private int count(int tokens) {
    return Math.ceilDiv(tokens, pageTokens);
  }

  /**
   * Pages for a sequence, or none if there are too few now.
   *
   * @param prompt at least one token; all but the last few may be found
   * @param tokens that must fit, the prompt among them
   * @param asked whether the sequence asks exits, so that their own layers must be known too
   * @param mayFind whether a known beginning is taken; otherwise all of the prompt is read
   */
  Optional<Lease> lease(int[] prompt, int tokens, boolean asked, boolean mayFind) {
    requirePossible(tokens);
    Page root = asked ? withExits : plain;
    // what is left to read must have the bits of a long chunk, as it has where nothing is found
    int most = Math.max(0, prompt.length - Kernels.ROW_STABLE - 1);
    int[] known = Arrays.copyOf(prompt, reuse && mayFind ? most : 0);
    List<Page> found = index.find(root, known, pageTokens);
    index.acquire(found);
    int wanted = count(tokens) - found.size();
    if (wanted > available()) {
      index.release(found);
      return Optional.empty();
    }
    while (pages - taken.cardinality() < wanted) {
      taken.clear(index.forget());
    }
    int[] own = take(found.isEmpty() ? 0 : found.getLast().number() + 1, wanted);
    return Optional.of(new Lease(prompt, root, found, own));
  }

  /** Free pages: in a row from {@code hint} on, else in the first such row, else the first ones. */
  private int[] take(int hint, int count) {
    int first = isFree(hint, count) ? hint : 0;
    while (first + count <= pages && !isFree(first, count)) {
      first = taken.get(first) ? taken.nextClearBit(first) : taken.nextSetBit(first);
    }
    int next = first + count <= pages ? first : 0;
    int[] numbers = new int[count];
    for (int i = 0; i < count; i++) {
      next = taken.nextClearBit(next);
      numbers[i] = next;
      taken.set(next);
    }
    return numbers;
  }

  private boolean isFree(int first, int count) {
    return first + count <= pages && taken.get(first, first + count).isEmpty();
  }

  @Override
  public void close() {
    arena.close();
  }

  /** The pages of one sequence, from when it begins until it is closed. */
  final class Lease implements AutoCloseable {
    private final int[] prompt;
    private final int found;

    /** Pages that are in the index, found or noted by this sequence. */
    private final List<Page> shared;

    private final int[] own;
    private final PageTable table;

    /** Whether each own page was given to the index. */
    private final boolean[] given;

    private Page last;
    private int read;
    private boolean noting;
    private boolean open = true;

    private Lease(int[] prompt, Page root, List<Page> found, int[] own) {
      this.prompt = prompt.clone();
      this.found = found.size();
      this.shared = new ArrayList<>(found);
      this.own = own;
      this.given = new boolean[own.length];
      this.last = found.isEmpty() ? root : found.getLast();
      this.read = found.size() * pageTokens;
      this.noting = reuse;
      int[] numbers =
          Arrays.copyOf(found.stream().mapToInt(Page::number).toArray(), found.size() + own.length);
      System.arraycopy(own, 0, numbers, found.size(), own.length);
      this.table = new PageTable(pageTokens, numbers);
    }

    /** Tokens in pages that others may read, too: they must not be written again. */
    int sharedTokens() {
      return shared.isEmpty() ? 0 : read;
    }

    /** Tokens that need not be read. */
    int reused() {
      return found * pageTokens;
    }

    int[] prompt() {
      return prompt;
    }

    List<KvCache> layerCaches() {
      return layers.stream().map(s -> s.of(table)).toList();
    }

    KvCache exitCache(int exit) {
      return exits.get(exit).of(table);
    }

    /** The prompt was read up to {@code end}. */
    void read(int end) {
      for (; noting && read + pageTokens <= end; read += pageTokens) {
        int page = read / pageTokens - found;
        int[] tokens = Arrays.copyOfRange(prompt, read, read + pageTokens);
        PrefixIndex.Noted noted = index.note(last, tokens, own[page]);
        noting = noted.page().isPresent();
        if (noting) {
          last = noted.page().get();
        }
        if (noted.isNew()) {
          given[page] = true;
          shared.add(last);
        }
      }
    }

    @Override
    public void close() {
      if (!open) {
        return;
      }
      open = false;
      index.release(shared);
      for (int i = 0; i < own.length; i++) {
        if (!given[i]) {
          taken.clear(own[i]);
        }
      }
    }
  }
}
