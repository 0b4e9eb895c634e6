package dev.sortie.nn.text.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.format.GgufMetadata;
import dev.sortie.nn.format.Utf8Strings;
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
import dev.sortie.nn.text.stage.TokenDecoding;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * Reads the tokenizer in the metadata of a GGUF file: byte-level BPE ({@code gpt2}) and
 * SentencePiece BPE ({@code llama}). Anything that is not supported is refused by name.
 */
public final class GgufTokenizer {
  /** What the keys of all that it reads begin with. */
  public static final String PREFIX = "tokenizer.ggml.";

  static final String MODEL = PREFIX + "model";
  static final String PRE = PREFIX + "pre";
  static final String TOKENS = PREFIX + "tokens";
  static final String SCORES = PREFIX + "scores";
  static final String TYPES = PREFIX + "token_type";
  static final String MERGES = PREFIX + "merges";
  static final String ADD_BOS = PREFIX + "add_bos_token";
  static final String ADD_EOS = PREFIX + "add_eos_token";
  static final String ADD_SPACE = PREFIX + "add_space_prefix";
  static final String NAME = "general.name";
  static final char METASPACE = '\u2581';

  // token types, as SentencePiece numbers them
  static final int NORMAL = 1;
  static final int UNKNOWN = 2;
  static final int CONTROL = 3;
  static final int USER_DEFINED = 4;
  static final int UNUSED = 5;
  static final int BYTE = 6;

  private static final List<String> SPECIAL_IDS =
      List.of(
          "bos",
          "eos",
          "eot",
          "eom",
          "unknown",
          "separator",
          "seperator",
          "padding",
          "cls",
          "mask",
          "prefix",
          "suffix",
          "middle",
          "fim_pre",
          "fim_suf",
          "fim_mid",
          "fim_pad",
          "fim_rep",
          "fim_sep");

  private static final Set<String> PHI3_KEEPS = Set.of("<unk>", "<s>", "<|endoftext|>");

  private final GgufMetadata metadata;
  private final String source;
  private final Vocabulary vocabulary;
  private final int[] types;

  /** With the vocabulary that {@code indexed} makes of the file and its tokens. */
  private GgufTokenizer(
      GgufMetadata metadata, int vocab, BiFunction<String, Utf8Strings, Vocabulary> indexed) {
    this.metadata = metadata;
    source = metadata.file().toString();
    Utf8Strings tokens = metadata.getStrings(TOKENS, Vocabulary.MAX_SIZE);
    if (tokens.size() != vocab) {
      throw metadata.error(TOKENS, "as many as the embedding has rows, " + vocab);
    }
    vocabulary = indexed.apply(source, tokens);
    types = metadata.has(TYPES) ? metadata.getInts(TYPES, vocab) : null;
    for (int id = 0; types != null && id < vocab; id++) {
      if (types[id] < NORMAL || types[id] > BYTE) {
        throw refuse("%s[%d] is %d, expected %d to %d", TYPES, id, types[id], NORMAL, BYTE);
      }
      if (tokens.start(id) == tokens.end(id)) {
        throw refuse("%s[%d] is empty, a token has a text", TOKENS, id);
      }
    }
  }

  /**
   * The tokenizer of a file.
   *
   * @param vocab rows of the embedding, which the number of tokens must equal
   * @throws InputException if a value is missing or wrong, or asks for what is not supported
   */
  public static SubwordTokenizer read(GgufMetadata metadata, int vocab) {
    String model = metadata.getString(MODEL);
    return switch (model) {
      case "gpt2" -> new GgufTokenizer(metadata, vocab, Vocabulary::new).byteLevel();
      case "llama" ->
          new GgufTokenizer(
                  metadata, vocab, (file, tokens) -> new Vocabulary(file, new ArrayList<>(tokens)))
              .sentencePiece();
      default -> throw metadata.error(MODEL, "\"gpt2\" or \"llama\"");
    };
  }

  private SubwordTokenizer byteLevel() {
    GgufPreTokenizer pre =
        GgufPreTokenizer.of(metadata.getString(PRE, GgufPreTokenizer.GPT2.names().getFirst()))
            .orElseThrow(
                () -> metadata.error(PRE, "one of " + String.join(", ", GgufPreTokenizer.all())));
    boolean space = metadata.getBoolean(ADD_SPACE, false);
    if (space && pre != GgufPreTokenizer.GPT2) {
      throw metadata.error(ADD_SPACE, "false where tokenizer.ggml.pre is " + pre.names());
    }
    if (metadata.has(SCORES)) {
      metadata.getFloats(SCORES, vocabulary.size());
    }
    return new SubwordTokenizer(
        new TokenizerSpec(
            source,
            vocabulary,
            new SubwordModel.Bpe(
                merges(),
                new BpeOptions(true, false, false, pre.ignoreMerges(), OptionalInt.empty())),
            added(),
            pre.normalizer(),
            pre.preTokenizer(space),
            TokenDecoding.BYTE_LEVEL,
            template(pre.addBos()),
            special("bos"),
            special("eos")));
  }

  private SubwordTokenizer sentencePiece() {
    float[] scores = metadata.getFloats(SCORES, vocabulary.size());
    for (int id = 0; id < scores.length; id++) {
      if (!Float.isFinite(scores[id])) {
        throw refuse("%s[%d] is %s, a score is finite", SCORES, id, scores[id]);
      }
      if (types != null && (types[id] == CONTROL || types[id] == UNKNOWN || types[id] == BYTE)) {
        scores[id] = Float.NaN; // no text may become a control token
      }
    }
    boolean space = metadata.getBoolean(ADD_SPACE, true);
    Normalizer spaces = new Normalizer.Replace(" ", String.valueOf(METASPACE));
    return new SubwordTokenizer(
        new TokenizerSpec(
            source,
            vocabulary,
            new SubwordModel.Bpe(
                MergeTable.ofScores(source, vocabulary, scores),
                new BpeOptions(false, byteFallback(), true, false, special("unknown"))),
            added(),
            space
                ? new Normalizer.Sequence(
                    List.of(new Normalizer.Prepend(String.valueOf(METASPACE)), spaces))
                : spaces,
            new PreTokenizer.None(),
            pieces(space),
            template(true),
            special("bos"),
            special("eos")));
  }

  /** The same steps as in the tokenizer.json of such models. */
  private static TokenDecoding pieces(boolean space) {
    List<TokenDecoding.Step> steps = new ArrayList<>();
    steps.add(new TokenDecoding.Replace(String.valueOf(METASPACE), " "));
    steps.add(new TokenDecoding.ByteFallback());
    steps.add(new TokenDecoding.Fuse());
    if (space) {
      steps.add(new TokenDecoding.Strip(' ', 1, 0));
    }
    return new TokenDecoding(steps);
  }

  private MergeTable merges() {
    Utf8Strings merges = metadata.getStrings(MERGES, MergeTable.MAX_SIZE);
    byte[] bytes = merges.bytes();
    MergeTable.Builder table = new MergeTable.Builder(source, vocabulary, merges.size());
    for (int rank = 0; rank < merges.size(); rank++) {
      int start = merges.start(rank);
      int end = merges.end(rank);
      int space = space(bytes, start, end);
      if (space == start || space >= end - 1 || space(bytes, space + 1, end) < end) {
        throw refuse(
            "%s[%d] is %s, expected two tokens with one space between",
            MERGES, rank, Printable.quoted(merges.get(rank)));
      }
      table.add(bytes, start, space, space + 1, end);
    }
    return table.build();
  }

  /** The first space of {@code bytes[start, end)}, or the end. */
  private static int space(byte[] bytes, int start, int end) {
    int at = start;
    while (at < end && bytes[at] != ' ') {
      at++;
    }
    return at;
  }

  /** Control tokens stand for no text; those that a user defined are text, found before merging. */
  private List<AddedToken> added() {
    boolean phi3 = metadata.has(NAME) && isPhi3(metadata.getString(NAME));
    List<AddedToken> added = new ArrayList<>();
    for (int id = 0; types != null && id < types.length; id++) {
      if (types[id] == CONTROL || types[id] == UNKNOWN || types[id] == USER_DEFINED) {
        String token = vocabulary.token(id);
        boolean special = types[id] != USER_DEFINED;
        added.add(
            new AddedToken(id, token, special, false, false, phi3 && stripsInPhi3(token), false));
      }
    }
    return added;
  }

  /**
   * Whether a model is a Phi-3 by its {@code general.name}. Its tokens swallow the white space
   * after them, for which GGUF has no field; llama.cpp goes by the name, too.
   */
  static boolean isPhi3(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return lower.contains("phi-3") || lower.contains("phi3");
  }

  /** Whether an added token of Phi-3 swallows the white space after it. */
  static boolean stripsInPhi3(String token) {
    return !PHI3_KEEPS.contains(token);
  }

  /**
   * Whether there are byte tokens; then there must be one for each byte, spelled {@code <0x0A>}.
   */
  private boolean byteFallback() {
    int bytes = 0;
    for (int id = 0; types != null && id < types.length; id++) {
      if (types[id] == BYTE) {
        String token = vocabulary.token(id);
        int value = TokenDecoding.fallbackByte(token);
        if (value < 0 || !TokenDecoding.fallbackToken(value).equals(token)) {
          throw refuse(
              "%s[%d] is a byte but spelled %s, expected <0x00> to <0xFF>",
              TOKENS, id, Printable.quoted(token));
        }
        bytes++;
      }
    }
    if (bytes != 0 && bytes != 256) {
      throw refuse("%s has %d byte tokens, expected none or 256", TYPES, bytes);
    }
    return bytes == 256;
  }

  private PostProcessor template(boolean addBos) {
    return new PostProcessor(
        metadata.getBoolean(ADD_BOS, addBos) ? ids(ADD_BOS, "bos") : List.of(),
        metadata.getBoolean(ADD_EOS, false) ? ids(ADD_EOS, "eos") : List.of());
  }

  private List<Integer> ids(String flag, String which) {
    OptionalInt id = special(which);
    if (id.isEmpty() && metadata.has(flag)) {
      throw metadata.error(flag, "false, since there is no " + PREFIX + which + "_token_id");
    }
    return id.isPresent() ? List.of(id.getAsInt()) : List.of();
  }

  /** A special id; all that are named must be in the vocabulary, used here or not. */
  private OptionalInt special(String which) {
    for (String each : SPECIAL_IDS) {
      metadata.findInt(PREFIX + each + "_token_id", 0, vocabulary.size() - 1);
    }
    return metadata.findInt(PREFIX + which + "_token_id", 0, vocabulary.size() - 1);
  }

  private InputException refuse(String format, Object... values) {
    return new InputException(source + ": metadata " + format.formatted(values));
  }
}
