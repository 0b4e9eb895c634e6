package dev.sortie.nn.text.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.format.GgufValue;
import dev.sortie.nn.format.GgufWriter;
import dev.sortie.nn.text.AddedToken;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.TokenizerSpec;
import dev.sortie.nn.text.model.MergeTable;
import dev.sortie.nn.text.model.SubwordModel;
import dev.sortie.nn.text.stage.Normalizer;
import dev.sortie.nn.text.stage.PreTokenizer;
import dev.sortie.nn.text.stage.TokenDecoding;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * Writes a tokenizer into the metadata of a GGUF file. What {@link GgufTokenizer}, and so
 * llama.cpp, could not read back is refused. Merges of SentencePiece become a score for each token:
 * then any two tokens that spell a third merge, as in SentencePiece itself.
 */
public final class GgufTokenizerWriter {
  private final TokenizerSpec spec;
  private final SubwordModel.Bpe model;
  private final int vocab;
  private final GgufWriter out;

  private GgufTokenizerWriter(TokenizerSpec spec, int vocab, GgufWriter out) {
    this.spec = spec;
    if (!(spec.model() instanceof SubwordModel.Bpe bpe)) {
      throw unknown("model is Unigram", "BPE");
    }
    model = bpe;
    this.vocab = vocab;
    this.out = out;
  }

  /**
   * Adds the tokenizer to {@code out}.
   *
   * @param name of the model, {@code general.name}, by which Phi-3 is known
   * @param vocab rows of the embedding; ids beyond the tokenizer's own get a placeholder each
   * @throws InputException if GGUF has no words for this tokenizer
   */
  public static void write(SubwordTokenizer tokenizer, String name, int vocab, GgufWriter out) {
    GgufTokenizerWriter writer = new GgufTokenizerWriter(tokenizer.spec(), vocab, out);
    boolean phi3 = GgufTokenizer.isPhi3(name);
    for (AddedToken token : tokenizer.spec().added()) {
      writer.checkMatching(token, phi3 && GgufTokenizer.stripsInPhi3(token.content()));
    }
    writer.write();
  }

  /** An added token is found exactly as it is spelled, or as {@code stripped} says. */
  private void checkMatching(AddedToken token, boolean stripped) {
    if (token.singleWord() || token.lstrip() || token.rstrip() != stripped) {
      throw unknown(
          "token %s has single_word %s, lstrip %s, rstrip %s"
              .formatted(
                  Printable.quoted(token.content()),
                  token.singleWord(),
                  token.lstrip(),
                  token.rstrip()),
          "false; rstrip for the tokens of a model whose name has phi-3");
    }
  }

  private void write() {
    if (model.options().byteLevel()) {
      byteLevel();
    } else {
      sentencePiece();
    }
    special("bos", spec.bos());
    special("eos", spec.eos());
    special("unknown", model.options().unknown());
    out.metadata(GgufTokenizer.ADD_BOS, frame("begins", spec.template().prefix(), spec.bos()));
    out.metadata(GgufTokenizer.ADD_EOS, frame("ends", spec.template().suffix(), spec.eos()));
  }

  private void byteLevel() {
    boolean space = spec.preTokenizer().equals(GgufPreTokenizer.GPT2.preTokenizer(true));
    GgufPreTokenizer pre =
        Arrays.stream(GgufPreTokenizer.values())
            .filter(p -> p.preTokenizer(space).equals(spec.preTokenizer()))
            .filter(p -> p.normalizer().equals(spec.normalizer()))
            .filter(p -> p.ignoreMerges() == model.options().ignoreMerges())
            .findFirst()
            .orElseThrow(
                () ->
                    unknown(
                        "way of cutting text is %s with %s, ignore_merges %s"
                            .formatted(
                                spec.preTokenizer(),
                                spec.normalizer(),
                                model.options().ignoreMerges()),
                        String.join(", ", GgufPreTokenizer.all())));
    out.metadata(GgufTokenizer.MODEL, "gpt2");
    out.metadata(GgufTokenizer.PRE, pre.names().getFirst());
    out.metadata(GgufTokenizer.ADD_SPACE, space);
    tokens();
    MergeTable merges = model.merges();
    List<String> lines = new ArrayList<>();
    for (int rank = 0; rank < merges.size(); rank++) {
      lines.add(token(merges.left(rank)) + " " + token(merges.right(rank)));
    }
    out.metadata(GgufTokenizer.MERGES, GgufValue.Array.of(lines));
  }

  private void sentencePiece() {
    Normalizer replace = new Normalizer.Replace(" ", String.valueOf(GgufTokenizer.METASPACE));
    Normalizer prepend =
        new Normalizer.Sequence(
            List.of(new Normalizer.Prepend(String.valueOf(GgufTokenizer.METASPACE)), replace));
    boolean space = spec.normalizer().equals(prepend);
    if (!space && !spec.normalizer().equals(replace)
        || !spec.preTokenizer().equals(new PreTokenizer.None())) {
      throw unknown(
          "way of cutting text is %s with %s".formatted(spec.preTokenizer(), spec.normalizer()),
          "spaces that become \u2581, with or without one before the text");
    }
    out.metadata(GgufTokenizer.MODEL, "llama");
    out.metadata(GgufTokenizer.PRE, "default");
    out.metadata(GgufTokenizer.ADD_SPACE, space);
    tokens();
    out.metadata(GgufTokenizer.SCORES, GgufValue.Array.of(scores()));
  }

  /** SentencePiece numbers its merges downwards: the earlier one, the higher its token's score. */
  private float[] scores() {
    float[] scores = new float[vocab];
    MergeTable merges = model.merges();
    for (int rank = merges.size() - 1; rank >= 0; rank--) {
      scores[merges.result(rank)] = -rank;
    }
    return scores;
  }

  private void tokens() {
    int[] types = new int[vocab];
    List<String> tokens = new ArrayList<>(vocab);
    for (int id = 0; id < vocab; id++) {
      String token = token(id);
      boolean isByte =
          model.options().byteFallback() && token != null && TokenDecoding.fallbackByte(token) >= 0;
      types[id] =
          token == null ? GgufTokenizer.UNUSED : isByte ? GgufTokenizer.BYTE : GgufTokenizer.NORMAL;
      tokens.add(token == null ? "[PAD" + id + "]" : token);
    }
    for (AddedToken token : spec.added()) {
      tokens.set(token.id(), token.content());
      types[token.id()] = token.special() ? GgufTokenizer.CONTROL : GgufTokenizer.USER_DEFINED;
    }
    model.options().unknown().ifPresent(id -> types[id] = GgufTokenizer.UNKNOWN);
    out.metadata(GgufTokenizer.TOKENS, GgufValue.Array.of(tokens));
    out.metadata(GgufTokenizer.TYPES, GgufValue.Array.of(types));
  }

  private String token(int id) {
    return spec.vocabulary().token(id);
  }

  private void special(String which, OptionalInt id) {
    if (id.isPresent()) {
      out.metadata(GgufTokenizer.PREFIX + which + "_token_id", id.getAsInt());
    }
  }

  private boolean frame(String where, List<Integer> ids, OptionalInt one) {
    if (!ids.isEmpty()
        && !(ids.size() == 1 && one.isPresent() && ids.getFirst() == one.getAsInt())) {
      throw unknown("template %s a text with ids %s".formatted(where, ids), "BOS and EOS");
    }
    return !ids.isEmpty();
  }

  private InputException unknown(String what, String known) {
    return new InputException(
        "%s: the tokenizer's %s, for which GGUF has no word (it has %s)"
            .formatted(spec.source(), what, known));
  }
}
