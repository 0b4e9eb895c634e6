package dev.sortie.nn.text;

import dev.sortie.nn.InputException;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;

/** Pieces to ids: symbols first, then merges. */
final class BpeModel {
  private static final Logger LOG = System.getLogger(BpeModel.class.getName());

  /** Slots of the cache: some megabytes when full. */
  private static final int CACHE = 1 << 15;

  private final String source;
  private final Vocabulary vocabulary;
  private final MergeTable merges;
  private final BpeOptions options;
  private final AddedTokens added;
  private final PieceCache cache = new PieceCache(CACHE);
  private final AtomicBoolean warned = new AtomicBoolean();

  /** The id of each byte, or -1; null if neither the symbols nor the fallback are bytes. */
  private final int[] bytes;

  private final boolean cutsAtMetaspace;

  BpeModel(TokenizerSpec spec, AddedTokens added) {
    source = spec.source();
    vocabulary = spec.vocabulary();
    merges = spec.merges();
    options = spec.options();
    this.added = added;
    bytes = options.byteLevel() || options.byteFallback() ? byteIds() : null;
    cutsAtMetaspace = !options.byteLevel() && !options.ignoreMerges() && metaspaceOnlyLeads();
  }

  /** Appends the ids of one piece. */
  void encode(String piece, IntArrayList out) {
    if (!cutsAtMetaspace) {
      encodePart(piece, out);
      return;
    }
    int start = 0;
    for (int i = 1; i < piece.length(); i++) {
      if (piece.charAt(i) == '\u2581' && piece.charAt(i - 1) != '\u2581') {
        encodePart(piece.substring(start, i), out);
        start = i;
      }
    }
    encodePart(piece.substring(start), out);
  }

  private void encodePart(String piece, IntArrayList out) {
    int[] ids = cache.get(piece);
    if (ids == null) {
      ids = merged(piece);
      cache.put(piece, ids);
    }
    out.addElements(out.size(), ids);
  }

  private int[] merged(String piece) {
    byte[] utf8 = options.byteLevel() ? piece.getBytes(StandardCharsets.UTF_8) : null;
    if (options.ignoreMerges()) {
      int whole = vocabulary.id(utf8 == null ? piece : ByteAlphabet.spell(utf8));
      // A special token is never plain text, even where the vocabulary lists it.
      if (whole >= 0 && !added.isSpecial(whole)) {
        return new int[] {whole};
      }
    }
    IntArrayList symbols = new IntArrayList(piece.length());
    if (utf8 == null) {
      addCharacters(piece, symbols);
    } else {
      addBytes(utf8, symbols);
    }
    int n = BpeMerger.merge(merges, symbols.elements(), symbols.size());
    symbols.size(n);
    return symbols.toIntArray();
  }

  private void addBytes(byte[] utf8, IntArrayList symbols) {
    boolean afterUnknown = false;
    for (byte b : utf8) {
      int id = bytes[b & 0xFF];
      if (id >= 0) {
        symbols.add(id);
      } else {
        addUnknown("byte 0x%02X".formatted(b & 0xFF), afterUnknown, symbols);
      }
      afterUnknown = id < 0;
    }
  }

  private void addCharacters(String piece, IntArrayList symbols) {
    boolean afterUnknown = false;
    int width;
    for (int i = 0; i < piece.length(); i += width) {
      width = Character.charCount(piece.codePointAt(i));
      String character = piece.substring(i, i + width);
      int id = vocabulary.id(character);
      boolean unknown = id < 0 && !options.byteFallback();
      if (id >= 0) {
        symbols.add(id);
      } else if (unknown) {
        addUnknown("the character " + Quoted.of(character), afterUnknown, symbols);
      } else {
        for (byte b : character.getBytes(StandardCharsets.UTF_8)) {
          symbols.add(bytes[b & 0xFF]);
        }
      }
      afterUnknown = unknown;
    }
  }

  /**
   * Without an unknown token the symbol is left out, as Hugging Face's tokenizers and llama.cpp do
   * (SmolLM2 has no token for some control characters); the first time is logged.
   */
  private void addUnknown(String what, boolean afterUnknown, IntArrayList symbols) {
    if (options.unknown().isEmpty()) {
      if (warned.compareAndSet(false, true)) {
        LOG.log(
            Level.WARNING,
            "{0}: no token for {1} and no model.unk_token; such text is left out",
            source,
            what);
      }
    } else if (!(afterUnknown && options.fuseUnknown())) {
      symbols.add(options.unknown().getAsInt());
    }
  }

  private int[] byteIds() {
    int[] ids = new int[256];
    for (int b = 0; b < 256; b++) {
      ids[b] =
          vocabulary.id(
              options.byteLevel()
                  ? String.valueOf(ByteAlphabet.toChar(b))
                  : TokenDecoding.fallbackToken(b));
      if (ids[b] < 0 && options.byteFallback()) {
        throw new InputException(
            source
                + ": model.byte_fallback is true, but model.vocab has no token for byte "
                + b
                + "; all 256 are needed");
      }
    }
    return ids;
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
