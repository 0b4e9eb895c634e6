package dev.sortie.nn.text;

import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Text to token ids and back. Implementations are immutable in effect and thread-safe. */
public interface Tokenizer {
  /** The ids of {@code text} with {@link EncodeOptions#DEFAULT}. */
  default int[] encode(String text) {
    return encode(text, EncodeOptions.DEFAULT);
  }

  /**
   * The ids of {@code text}. What a vocabulary without an unknown token cannot spell is left out
   * and logged.
   *
   * @throws dev.sortie.nn.InputException if the text has an unpaired surrogate
   */
  int[] encode(String text, EncodeOptions options);

  /**
   * The ids of a text of which some characters come from outside: nothing is added, and those
   * special tokens are parsed that have no such character.
   *
   * @param foreign UTF-16 units of the text that come from outside
   * @throws dev.sortie.nn.InputException if the text has an unpaired surrogate, or the tokenizer's
   *     normalizer makes of the text a special token that it does not spell
   */
  int[] encode(String text, BitSet foreign);

  /** An encoder for one text that comes in parts, with {@link EncodeOptions#DEFAULT}. */
  StreamEncoder encoder();

  /** The spellings of all special tokens. */
  List<String> specials();

  /** The text of {@code ids} without special tokens. */
  default String decode(int[] ids) {
    return decode(ids, false);
  }

  /**
   * The text of {@code ids}. Bytes that are not UTF-8, and ids that no token has, appear as U+FFFD.
   *
   * @param keepSpecial whether special tokens appear as they are spelled
   */
  default String decode(int[] ids, boolean keepSpecial) {
    StreamDecoder stream = stream(keepSpecial);
    StringBuilder text = new StringBuilder(ids.length * 4);
    for (int id : ids) {
      text.append(stream.next(id));
    }
    return text.append(stream.finish()).toString();
  }

  /** The token of {@code id} as the vocabulary spells it; empty if no token has this id. */
  Optional<String> token(int id);

  /**
   * The bytes that a token stands for in the middle of a text, a part of a character maybe; those
   * of a special token are its spelling. Bytes of U+FFFD where no token has this id.
   */
  byte[] bytes(int id);

  /** The id of a token as the vocabulary or the list of added tokens spells it. */
  OptionalInt id(String token);

  /** Whether {@code id} is a special token, one that stands for no text. */
  boolean isSpecial(int id);

  /** The highest id plus one. A model's embedding may have more rows than that, never fewer. */
  int vocabSize();

  /** The id that begins a text, where the tokenizer's files name one. */
  OptionalInt bosId();

  /** The id that ends a text, where the tokenizer's files name one. */
  OptionalInt eosId();

  /** A decoder for one stream of ids, without special tokens. */
  default StreamDecoder stream() {
    return stream(false);
  }

  /** A decoder for one stream of ids; {@code keepSpecial} as in {@link #decode(int[], boolean)}. */
  StreamDecoder stream(boolean keepSpecial);

  /**
   * The same tokenizer with other BOS and EOS ids. What {@link #encode(String)} adds stays the
   * same.
   *
   * @throws dev.sortie.nn.InputException if an id is not in the vocabulary
   */
  Tokenizer withSpecials(OptionalInt bos, OptionalInt eos);
}
