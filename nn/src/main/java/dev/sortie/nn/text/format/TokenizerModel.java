package dev.sortie.nn.text.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.text.AddedToken;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.TokenizerSpec;
import dev.sortie.nn.text.model.BpeOptions;
import dev.sortie.nn.text.model.MergeTable;
import dev.sortie.nn.text.model.SubwordModel;
import dev.sortie.nn.text.model.Vocabulary;
import dev.sortie.nn.text.stage.Normalizer;
import dev.sortie.nn.text.stage.PostProcessor;
import dev.sortie.nn.text.stage.PreTokenizer;
import dev.sortie.nn.text.stage.PrecompiledCharsMap;
import dev.sortie.nn.text.stage.SentencePieceNormalizer;
import dev.sortie.nn.text.stage.TokenDecoding;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * Reads the {@code tokenizer.model} of SentencePiece: BPE and Unigram, with the ids that
 * SentencePiece itself gives. Anything that is not supported is refused by name.
 */
public final class TokenizerModel {
  /** Real files have some megabytes. */
  private static final int MAX_BYTES = 64 << 20;

  private static final String SPACE = "\u2581";

  private final String file;
  private final SentencePieceProto proto;
  private final Vocabulary vocabulary;
  private final OptionalInt unknown;

  private TokenizerModel(String file, SentencePieceProto proto) {
    this.file = file;
    this.proto = proto;
    refuse(!proto.escapeSpaces, "normalizer_spec.escape_whitespaces", "false", "true");
    refuse(proto.spaceIsSuffix, "trainer_spec.treat_whitespace_as_suffix", "true", "false");
    vocabulary = new Vocabulary(file, proto.pieces);
    List<Integer> unknowns = ids(GgufTokenizer.UNKNOWN);
    if (unknowns.size() != 1) {
      throw new InputException(
          "%s: %d pieces have the type UNKNOWN (%d), expected one"
              .formatted(file, unknowns.size(), GgufTokenizer.UNKNOWN));
    }
    unknown = OptionalInt.of(unknowns.getFirst());
  }

  /**
   * The tokenizer of a file. Whether BOS and EOS are put round a text, and which tokens there are
   * in addition to those of the model, is read from {@code tokenizer_config.json} next to it
   * ({@code add_bos_token}, true where it is silent, {@code add_eos_token}, {@code
   * added_tokens_decoder}). Control tokens are special: a text that spells one does not get it,
   * unless it is asked for.
   *
   * @throws InputException if a file cannot be read, is damaged or asks for what is not supported
   */
  public static SubwordTokenizer read(Path file) {
    SentencePieceProto proto = SentencePieceProto.read(file.toString(), bytes(file));
    Path folder = file.toAbsolutePath().getParent();
    SentencePieceSettings settings = SentencePieceSettings.of(folder);
    SubwordTokenizer tokenizer =
        new SubwordTokenizer(new TokenizerModel(file.toString(), proto).spec(settings));
    return SpecialTokenFiles.complete(tokenizer, folder);
  }

  private static ByteBuffer bytes(Path file) {
    return ByteBuffer.wrap(InputFiles.readAll(file, MAX_BYTES));
  }

  private TokenizerSpec spec(SentencePieceSettings settings) {
    List<Integer> symbols = ids(GgufTokenizer.USER_DEFINED);
    // Then symbols are nothing but tokens found in normalised text, for which other formats have
    // words too.
    boolean plain = proto.charsMap.length == 0 && !proto.removeExtraSpaces;
    boolean bpe = isBpe();
    boolean asAdded = bpe && plain && !proto.addDummyPrefix;
    OptionalInt bos = special(proto.bos, "bos_id");
    OptionalInt eos = special(proto.eos, "eos_id");
    return new TokenizerSpec(
        file,
        vocabulary,
        bpe ? bpe(symbols, asAdded) : unigram(),
        added(asAdded ? symbols : List.of(), settings.added()),
        plain && (symbols.isEmpty() || asAdded || !bpe) ? plainNormalizer() : normalizer(symbols),
        new PreTokenizer.None(),
        decoding(),
        new PostProcessor(
            settings.addBos() ? bos.stream().boxed().toList() : List.of(),
            settings.addEos() ? eos.stream().boxed().toList() : List.of()),
        bos,
        eos);
  }

  private boolean isBpe() {
    return switch (proto.modelType) {
      case SentencePieceProto.BPE -> true;
      case SentencePieceProto.UNIGRAM -> false;
      default ->
          throw new InputException(
              "%s: trainer_spec.model_type is %d; supported: 1 (unigram), 2 (bpe)"
                  .formatted(file, proto.modelType));
    };
  }

  /** No text may become a control token, and user-defined symbols merge with nothing. */
  private SubwordModel bpe(List<Integer> symbols, boolean asAdded) {
    List<Integer> unused = ids(GgufTokenizer.UNUSED);
    if (!unused.isEmpty()) {
      throw new InputException(
          "%s: pieces[%d] %s is UNUSED, which is not supported for bpe"
              .formatted(
                  file, unused.getFirst(), Printable.quoted(vocabulary.token(unused.getFirst()))));
    }
    float[] scores = proto.scores.toFloatArray();
    for (int id = 0; id < scores.length; id++) {
      if (proto.types.getInt(id) != GgufTokenizer.NORMAL) {
        scores[id] = Float.NaN;
      }
    }
    return new SubwordModel.Bpe(
        MergeTable.ofScores(file, vocabulary, scores, new HashSet<>(symbols)),
        new BpeOptions(false, byteFallback(), true, false, unknown),
        asAdded ? List.of() : symbols);
  }

  /**
   * User-defined symbols win over other spellings: those cost, and a symbol gains with each byte
   * ({@code GetUserDefinedScore} in SentencePiece's {@code unigram_model.cc}, version 0.2.3).
   */
  private SubwordModel unigram() {
    double[] scores = new double[vocabulary.size()];
    float least = Float.MAX_VALUE;
    for (int id = 0; id < scores.length; id++) {
      boolean normal = proto.types.getInt(id) == GgufTokenizer.NORMAL;
      scores[id] = normal ? proto.scores.getFloat(id) : Double.NaN;
      least = normal ? Math.min(least, proto.scores.getFloat(id)) : least;
    }
    for (int id : ids(GgufTokenizer.USER_DEFINED)) {
      int bytes = vocabulary.token(id).getBytes(StandardCharsets.UTF_8).length;
      scores[id] = (float) (0.1 * (bytes - 1));
    }
    return new SubwordModel.Unigram(
        scores,
        (float) (least - SubwordModel.Unigram.UNKNOWN_PENALTY),
        unknown,
        byteFallback(),
        true);
  }

  private boolean byteFallback() {
    for (int id : ids(GgufTokenizer.BYTE)) {
      int value = TokenDecoding.fallbackByte(vocabulary.token(id));
      if (value < 0 || !TokenDecoding.fallbackToken(value).equals(vocabulary.token(id))) {
        throw new InputException(
            "%s: pieces[%d] is a byte but spelled %s, expected <0x00> to <0xFF>"
                .formatted(file, id, Printable.quoted(vocabulary.token(id))));
      }
    }
    return proto.byteFallback;
  }

  private Normalizer plainNormalizer() {
    Normalizer spaces = new Normalizer.Replace(" ", SPACE);
    return proto.addDummyPrefix
        ? new Normalizer.Sequence(List.of(new Normalizer.Prepend(SPACE), spaces))
        : spaces;
  }

  private Normalizer normalizer(List<Integer> symbols) {
    Optional<PrecompiledCharsMap> map =
        proto.charsMap.length == 0
            ? Optional.empty()
            : Optional.of(
                new PrecompiledCharsMap(
                    proto.charsMap, file + ": normalizer_spec.precompiled_charsmap"));
    return new SentencePieceNormalizer(
        file,
        map,
        proto.addDummyPrefix,
        proto.removeExtraSpaces,
        symbols.stream().map(vocabulary::token).toList());
  }

  /** The steps of the tokenizer.json that goes with such a model. */
  private TokenDecoding decoding() {
    List<TokenDecoding.Step> steps = new ArrayList<>();
    steps.add(new TokenDecoding.Replace(SPACE, " "));
    steps.add(new TokenDecoding.ByteFallback());
    steps.add(new TokenDecoding.Fuse());
    if (proto.addDummyPrefix || proto.removeExtraSpaces) {
      int most = proto.removeExtraSpaces ? Integer.MAX_VALUE : 1;
      steps.add(new TokenDecoding.Strip(' ', most, 0));
    }
    return new TokenDecoding(steps);
  }

  /** Control tokens and symbols; what the folder's settings say of a token decides. */
  private List<AddedToken> added(List<Integer> symbols, List<AddedToken> more) {
    Map<Integer, AddedToken> added = new TreeMap<>();
    for (int type : new int[] {GgufTokenizer.UNKNOWN, GgufTokenizer.CONTROL}) {
      ids(type).forEach(id -> added.put(id, AddedToken.special(id, vocabulary.token(id))));
    }
    for (int id : symbols) {
      if (vocabulary.token(id).indexOf(' ') >= 0) {
        continue; // Normalised text has no space, so SentencePiece never finds it either.
      }
      added.put(id, new AddedToken(id, vocabulary.token(id), false, false, false, false, true));
    }
    more.forEach(token -> added.put(token.id(), token));
    return List.copyOf(added.values());
  }

  private List<Integer> ids(int type) {
    List<Integer> ids = new ArrayList<>();
    for (int id = 0; id < proto.types.size(); id++) {
      if (proto.types.getInt(id) == type) {
        ids.add(id);
      }
    }
    return ids;
  }

  /** An id that the model names; -1 stands for none. */
  private OptionalInt special(int id, String field) {
    if (id >= vocabulary.size()) {
      throw new InputException(
          "%s: trainer_spec.%s is %d, but there are %d pieces"
              .formatted(file, field, id, vocabulary.size()));
    }
    return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
  }

  private void refuse(boolean wrong, String field, String value, String supported) {
    if (wrong) {
      throw new InputException(
          "%s: %s is %s; supported: %s".formatted(file, field, value, supported));
    }
  }
}
