package dev.sortie.nn.text;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.model.PieceEncoder;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Byte-level BPE, SentencePiece's BPE and Unigram: one pipeline, told apart by data. */
public final class SubwordTokenizer implements Tokenizer {
  /** Unused ids between the vocabulary and the added tokens; real files have few or none. */
  private static final int HOLES = 1 << 12;

  private final TokenizerSpec spec;
  private final AddedTokens added;
  private final PieceEncoder model;
  private final int size;

  /**
   * A tokenizer.
   *
   * @throws InputException if the parts do not fit together; the message names source and field
   */
  public SubwordTokenizer(TokenizerSpec spec) {
    this.spec = spec;
    added = new AddedTokens(spec.source(), spec.vocabulary(), spec.added(), spec.normalizer());
    model = PieceEncoder.of(spec.source(), spec.vocabulary(), spec.model(), added::isSpecial);
    int most = spec.vocabulary().size();
    for (AddedToken token : spec.added()) {
      most = Math.max(most, token.id() + 1);
    }
    size = most;
    if (size > spec.vocabulary().size() + spec.added().size() + HOLES) {
      throw new InputException(
          "%s: added_tokens has ids up to %d, but model.vocab ends at %d; ids must be dense"
              .formatted(spec.source(), size - 1, spec.vocabulary().size() - 1));
    }
    check("bos", spec.bos());
    check("eos", spec.eos());
    check("model.unk_token", spec.model().unknown());
    spec.template().prefix().forEach(id -> check("post_processor", OptionalInt.of(id)));
    spec.template().suffix().forEach(id -> check("post_processor", OptionalInt.of(id)));
  }

  private SubwordTokenizer(SubwordTokenizer same, TokenizerSpec spec) {
    this.spec = spec;
    added = same.added;
    model = same.model;
    size = same.size;
    check("bos", spec.bos());
    check("eos", spec.eos());
  }

  private void check(String field, OptionalInt id) {
    if (id.isPresent() && token(id.getAsInt()).isEmpty()) {
      throw new InputException(
          "%s: %s names id %d, but no token has it (%d ids)"
              .formatted(spec.source(), field, id.getAsInt(), size));
    }
  }

  /** What this tokenizer is made of. */
  public TokenizerSpec spec() {
    return spec;
  }

  @Override
  public int[] encode(String text, EncodeOptions options) {
    return encode(text, options, null);
  }

  @Override
  public int[] encode(String text, BitSet foreign) {
    return encode(text, new EncodeOptions(false, true), foreign);
  }

  private int[] encode(String text, EncodeOptions options, BitSet foreign) {
    IntArrayList ids = new IntArrayList(text.length() / 3 + 8);
    if (options.addSpecial()) {
      ids.addAll(spec.template().prefix());
    }
    Budget budget = new Budget(spec.source(), "a text", text.length());
    added.cut(
        wellFormed(text),
        spec.normalizer(),
        options.parseSpecial(),
        foreign,
        budget,
        new AddedTokens.Sink() {
          @Override
          public void text(String segment, int from, boolean atStart) {
            spec.preTokenizer()
                .split(segment, atStart, budget, piece -> model.encode(piece, ids, budget));
          }

          @Override
          public void token(int id) {
            ids.add(id);
          }
        });
    if (options.addSpecial()) {
      ids.addAll(spec.template().suffix());
    }
    return ids.toIntArray();
  }

  @Override
  public List<String> specials() {
    return spec.added().stream().filter(AddedToken::special).map(AddedToken::content).toList();
  }

  @Override
  public Optional<String> token(int id) {
    AddedToken token = added.token(id);
    return Optional.ofNullable(token == null ? spec.vocabulary().token(id) : token.content());
  }

  /**
   * An added token is plain text even where its characters belong to the byte alphabet. Elsewhere
   * it is decoded like other tokens unless it is special.
   */
  @Override
  public byte[] bytes(int id) {
    AddedToken whole = added.token(id);
    if (whole != null && (whole.special() || spec.decoding().isByteLevel())) {
      return whole.content().getBytes(StandardCharsets.UTF_8);
    }
    String token = whole == null ? spec.vocabulary().token(id) : whole.content();
    if (token == null) {
      return TokenStream.UNKNOWN.getBytes(StandardCharsets.UTF_8);
    }
    return spec.decoding().bytes(token, new Budget(spec.source(), "a token", token.length()));
  }

  @Override
  public OptionalInt id(String token) {
    int id = Math.max(added.id(token), spec.vocabulary().id(token));
    return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
  }

  @Override
  public boolean isSpecial(int id) {
    return added.isSpecial(id);
  }

  @Override
  public int vocabSize() {
    return size;
  }

  @Override
  public OptionalInt bosId() {
    return spec.bos();
  }

  @Override
  public OptionalInt eosId() {
    return spec.eos();
  }

  @Override
  public StreamDecoder stream(boolean keepSpecial) {
    return new TokenStream(spec.source(), this, spec.decoding(), keepSpecial);
  }

  @Override
  public StreamEncoder encoder() {
    return new TextStream(this);
  }

  /** How texts can be cut before they are encoded; empty if they are needed whole. */
  Optional<TextCuts> cuts() {
    return TextCuts.of(spec, model.encodesWordsApart());
  }

  @Override
  public SubwordTokenizer withSpecials(OptionalInt bos, OptionalInt eos) {
    return new SubwordTokenizer(this, spec.withSpecials(bos, eos));
  }

  /** Unpaired surrogates have no UTF-8, so no token can spell them. */
  private static String wellFormed(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (!Character.isSurrogate(text.charAt(i))) {
        continue;
      }
      if (!Character.isSupplementaryCodePoint(text.codePointAt(i))) {
        throw new InputException(
            "the text has the unpaired surrogate U+%04X at index %d, which is no character; fix the text"
                .formatted((int) text.charAt(i), i));
      }
      i++;
    }
    return text;
  }
}
