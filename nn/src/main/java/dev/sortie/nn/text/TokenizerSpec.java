package dev.sortie.nn.text;

import java.util.List;
import java.util.OptionalInt;

/**
 * All that makes up a BPE tokenizer, as data: what {@code tokenizer.json} and other files hold.
 *
 * @param source the file it came from, for messages
 * @param vocabulary the model's tokens
 * @param merges the model's merges
 * @param options the model's switches
 * @param added tokens found in the text itself
 * @param normalizer what is done to the text first
 * @param preTokenizer how it is then cut
 * @param decoding how tokens become text
 * @param template what is put round the ids
 * @param bos the id that begins a text
 * @param eos the id that ends a text
 */
public record TokenizerSpec(
    String source,
    Vocabulary vocabulary,
    MergeTable merges,
    BpeOptions options,
    List<AddedToken> added,
    Normalizer normalizer,
    PreTokenizer preTokenizer,
    TokenDecoding decoding,
    Template template,
    OptionalInt bos,
    OptionalInt eos) {

  /** Keeps a copy of the list. */
  public TokenizerSpec {
    added = List.copyOf(added);
  }

  /** The same with other BOS and EOS ids. */
  public TokenizerSpec withSpecials(OptionalInt newBos, OptionalInt newEos) {
    return new TokenizerSpec(
        source,
        vocabulary,
        merges,
        options,
        added,
        normalizer,
        preTokenizer,
        decoding,
        template,
        newBos,
        newEos);
  }
}
