package dev.sortie.eetuning.decode.grammar;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * The bytes of a model's tokens, for all grammars that its texts may have. Special tokens, and
 * those that stand for nothing, have no place in such a text. Immutable and thread-safe.
 */
public final class TokenVocabulary {
  private static final String UNKNOWN = "\uFFFD";

  private final int size;
  private final int[] ends;
  private final byte[][] bytes;
  private final TokenTrie trie;

  /**
   * Bytes of a text's first token: some tokenizers leave out the space that it begins with, unless
   * the text joins that of its prompt.
   */
  private final byte[][] firstBytes;

  private final TokenTrie firstTrie;

  /**
   * The tokens of a model.
   *
   * @param vocab number of logits
   * @param ends ids that end a text
   * @throws InputException if no token ends a text
   */
  public TokenVocabulary(Tokenizer tokenizer, int vocab, Collection<Integer> ends) {
    this.size = vocab;
    Set<Integer> distinct = new HashSet<>(ends);
    this.ends = distinct.stream().mapToInt(Integer::intValue).sorted().toArray();
    if (distinct.isEmpty()) {
      throw new InputException(
          "the model names no token that ends a text, so a text cannot end where its grammar does;"
              + " leave the grammar out");
    }
    bytes = new byte[vocab][];
    firstBytes = new byte[vocab][];
    boolean differ = false;
    for (int id = 0; id < Math.min(vocab, tokenizer.vocabSize()); id++) {
      if (!distinct.contains(id) && !tokenizer.isSpecial(id) && tokenizer.token(id).isPresent()) {
        bytes[id] = tokenizer.bytes(id);
        firstBytes[id] = first(tokenizer, id, bytes[id]);
        differ |= firstBytes[id] != bytes[id];
      }
    }
    trie = new TokenTrie(bytes);
    firstTrie = differ ? new TokenTrie(firstBytes) : trie;
  }

  private static byte[] first(Tokenizer tokenizer, int id, byte[] bytes) {
    if (bytes.length == 0 || bytes[0] != ' ') {
      return bytes;
    }
    String text = tokenizer.decode(new int[] {id});
    byte[] shown = text.getBytes(StandardCharsets.UTF_8);
    return text.contains(UNKNOWN) || Arrays.equals(shown, bytes) ? bytes : shown;
  }

  /**
   * The bytes of a token.
   *
   * @param first whether a text begins with it that does not join its prompt
   */
  byte[] bytes(int id, boolean first) {
    return first ? firstBytes[id] : bytes[id];
  }

  /**
   * A mask of these tokens.
   *
   * @param ends whether a text may end here too
   */
  TokenMask mask(int[] allowed, boolean ends) {
    int[] all = Arrays.copyOf(allowed, allowed.length + (ends ? this.ends.length : 0));
    System.arraycopy(this.ends, 0, all, allowed.length, all.length - allowed.length);
    return new TokenMask(all, size);
  }

  TokenTrie trie(boolean first) {
    return first ? firstTrie : trie;
  }
}
