package dev.sortie.nn.text;

import dev.sortie.nn.text.model.SubwordModel;
import dev.sortie.nn.text.model.Vocabulary;
import dev.sortie.nn.text.stage.Normalizer;
import dev.sortie.nn.text.stage.PostProcessor;
import dev.sortie.nn.text.stage.PreTokenizer;
import dev.sortie.nn.text.stage.TokenDecoding;
import java.util.List;
import java.util.OptionalInt;

/**
 * All that makes up a tokenizer, as data: what {@code tokenizer.json} and other files hold.
 *
 * @param source the file it came from, for messages
 * @param vocabulary the model's tokens
 * @param model how a piece is spelled with them
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
    SubwordModel model,
    List<AddedToken> added,
    Normalizer normalizer,
    PreTokenizer preTokenizer,
    TokenDecoding decoding,
    PostProcessor template,
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
        model,
        added,
        normalizer,
        preTokenizer,
        decoding,
        template,
        newBos,
        newEos);
  }
}
