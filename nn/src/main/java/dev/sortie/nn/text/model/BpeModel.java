package dev.sortie.nn.text.model;

import dev.sortie.nn.Printable;
import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.unicode.ByteAlphabet;
import dev.sortie.nn.text.unicode.CharTrie;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.function.Supplier;

/** Pieces to ids: symbols first, then merges. */
final class BpeModel implements PieceEncoder {
  /** Slots of the cache: some megabytes when full. */
  private static final int CACHE = 1 << 15;

  private final Vocabulary vocabulary;
  private final MergeTable merges;
  private final BpeOptions options;
  private final IntPredicate special;
  private final PieceCache cache = new PieceCache(CACHE);
  private final UnknownText unknown;

  /** Tokens that are found before anything merges. */
  private final CharTrie whole;

  /** The id of each byte, or -1; null if neither the symbols nor the fallback are bytes. */
  private final int[] bytes;

  private final boolean wordsApart;

  /** The merges that give no special token; null until a text spells one. */
  private volatile MergeTable plainMerges;

  BpeModel(String source, Vocabulary vocabulary, SubwordModel.Bpe model, IntPredicate special) {
    this.vocabulary = vocabulary;
    merges = model.merges();
    options = model.options();
    this.special = special;
    bytes =
        options.byteLevel()
            ? ByteTokens.level(vocabulary)
            : options.byteFallback() ? ByteTokens.fallback(source, vocabulary) : null;
    unknown = new UnknownText(source, "model.unk_token");
    whole = new CharTrie(source + ": the user-defined symbols");
    for (int id : model.whole()) {
      whole.add(vocabulary.token(id), id);
    }
    wordsApart =
        !options.byteLevel()
            && !options.ignoreMerges()
            && model.whole().isEmpty()
            && metaspaceOnlyLeads();
  }

  @Override
  public void encode(String piece, IntArrayList out, Budget budget) {
    if (!wordsApart) {
      encodePart(piece, out, budget);
      return;
    }
    int start = 0;
    for (int i = 1; i < piece.length(); i++) {
      if (piece.charAt(i) == '\u2581' && piece.charAt(i - 1) != '\u2581') {
        encodePart(piece.substring(start, i), out, budget);
        start = i;
      }
    }
    encodePart(piece.substring(start), out, budget);
  }

  @Override
  public boolean encodesWordsApart() {
    return wordsApart;
  }

  private void encodePart(String piece, IntArrayList out, Budget budget) {
    int[] ids = cache.get(piece);
    if (ids == null) {
      ids = merged(piece, budget);
      cache.put(piece, ids);
    }
    out.addElements(out.size(), ids);
  }

  private int[] merged(String piece, Budget budget) {
    byte[] utf8 = options.byteLevel() ? piece.getBytes(StandardCharsets.UTF_8) : null;
    if (options.ignoreMerges()) {
      int whole = vocabulary.id(utf8 == null ? piece : ByteAlphabet.spell(utf8));
      // A special token is never plain text, even where the vocabulary lists it.
      if (whole >= 0 && !special.test(whole)) {
        return new int[] {whole};
      }
    }
    IntArrayList symbols = new IntArrayList(piece.length());
    if (utf8 == null) {
      addCharacters(piece, symbols, budget);
    } else {
      addBytes(utf8, symbols);
    }
    int[] ids = merged(merges, symbols);
    boolean spelled = Arrays.stream(ids).anyMatch(special);
    return spelled ? merged(plainMerges(), symbols) : ids;
  }

  private static int[] merged(MergeTable merges, IntArrayList symbols) {
    int[] ids = symbols.toIntArray();
    return Arrays.copyOf(ids, BpeMerger.merge(merges, ids, ids.length));
  }

  /**
   * A special token is never plain text, even where merges lead to it, as those of a tokenizer do
   * that was trained on texts with such tokens in them. The author of a text could forge it.
   */
  private MergeTable plainMerges() {
    if (plainMerges == null) {
      plainMerges = merges.without(special);
    }
    return plainMerges;
  }

  private void addBytes(byte[] utf8, IntArrayList symbols) {
    boolean afterUnknown = false;
    for (byte b : utf8) {
      int id = bytes[b & 0xFF];
      if (id >= 0) {
        symbols.add(id);
      } else {
        addUnknown(() -> "byte 0x%02X".formatted(b & 0xFF), afterUnknown, symbols);
      }
      afterUnknown = id < 0;
    }
  }

  private void addCharacters(String piece, IntArrayList symbols, Budget budget) {
    boolean afterUnknown = false;
    int width;
    for (int i = 0; i < piece.length(); i += width) {
      CharTrie.Match found = whole.longest(piece, i, budget);
      if (found != null) {
        symbols.add(found.id());
        width = found.length();
        afterUnknown = false;
        continue;
      }
      width = Character.charCount(piece.codePointAt(i));
      String character = piece.substring(i, i + width);
      int id = vocabulary.id(character);
      boolean unspelled = id < 0 && !options.byteFallback();
      if (id >= 0) {
        symbols.add(id);
      } else if (unspelled) {
        addUnknown(() -> "the character " + Printable.quoted(character), afterUnknown, symbols);
      } else {
        for (byte b : character.getBytes(StandardCharsets.UTF_8)) {
          symbols.add(bytes[b & 0xFF]);
        }
      }
      afterUnknown = unspelled;
    }
  }

  private void addUnknown(Supplier<String> what, boolean afterUnknown, IntArrayList symbols) {
    if (options.unknown().isEmpty()) {
      unknown.leftOut(what);
    } else if (!(afterUnknown && options.fuseUnknown())) {
      symbols.add(options.unknown().getAsInt());
    }
  }

  /**
   * Whether no merge joins a token to one that begins with ▁, unless the first ends with ▁. Then
   * each word of a text that was never split can be merged alone, with the same result.
   */
  private boolean metaspaceOnlyLeads() {
    if (vocabulary.id("\u2581") < 0) {
      return false;
    }
    for (int rank = 0; rank < merges.size(); rank++) {
      String left = vocabulary.token(merges.left(rank));
      String right = vocabulary.token(merges.right(rank));
      if (right.charAt(0) == '\u2581' && left.charAt(left.length() - 1) != '\u2581') {
        return false;
      }
    }
    return true;
  }
}
