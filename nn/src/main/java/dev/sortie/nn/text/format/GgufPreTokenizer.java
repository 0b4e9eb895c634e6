package dev.sortie.nn.text.format;

import dev.sortie.nn.text.stage.Normalizer;
import dev.sortie.nn.text.stage.PreTokenizer;
import dev.sortie.nn.text.stage.SplitPattern;
import java.text.Normalizer.Form;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * How byte-level tokenizers in GGUF files cut text: the words that {@code tokenizer.ggml.pre} may
 * have. Each is given the parts that the family's own {@code tokenizer.json} has.
 */
enum GgufPreTokenizer {
  /** GPT-2; also what a file without the word gets. */
  GPT2(List.of("gpt-2", "default"), false, false) {
    @Override
    PreTokenizer preTokenizer(boolean addPrefixSpace) {
      return new PreTokenizer.ByteLevel(addPrefixSpace, true);
    }
  },
  /** SmolLM: digits one by one, then as GPT-2. */
  SMOLLM(List.of("smollm"), false, false) {
    @Override
    PreTokenizer preTokenizer(boolean addPrefixSpace) {
      return new PreTokenizer.Sequence(
          List.of(new PreTokenizer.Digits(true), new PreTokenizer.ByteLevel(addPrefixSpace, true)));
    }
  },
  /** Llama 3. */
  LLAMA3(List.of("llama-bpe", "llama3", "llama-v3"), true, true) {
    @Override
    PreTokenizer preTokenizer(boolean addPrefixSpace) {
      return split(SplitPattern.LLAMA3);
    }
  },
  /** Qwen 2, 2.5 and 3, which also compose their text (NFC). */
  QWEN2(List.of("qwen2"), false, false) {
    @Override
    PreTokenizer preTokenizer(boolean addPrefixSpace) {
      return split(SplitPattern.QWEN2);
    }

    @Override
    Normalizer normalizer() {
      return new Normalizer.Unicode(Form.NFC);
    }
  };

  private final List<String> names;
  private final boolean ignoreMerges;
  private final boolean addBos;

  GgufPreTokenizer(List<String> names, boolean ignoreMerges, boolean addBos) {
    this.names = names;
    this.ignoreMerges = ignoreMerges;
    this.addBos = addBos;
  }

  /** The kind that has this name. */
  static Optional<GgufPreTokenizer> of(String name) {
    return Arrays.stream(values()).filter(p -> p.names.contains(name)).findFirst();
  }

  /** All names, for messages. */
  static List<String> all() {
    return Arrays.stream(values()).flatMap(p -> p.names.stream()).toList();
  }

  /** Its names; the first is the one to write. */
  List<String> names() {
    return names;
  }

  /** Whether a piece that is a token is taken whole. */
  boolean ignoreMerges() {
    return ignoreMerges;
  }

  /** Whether a text begins with BOS where the file does not say. */
  boolean addBos() {
    return addBos;
  }

  Normalizer normalizer() {
    return new Normalizer.None();
  }

  abstract PreTokenizer preTokenizer(boolean addPrefixSpace);

  private static PreTokenizer split(SplitPattern pattern) {
    return new PreTokenizer.Sequence(
        List.of(new PreTokenizer.Split(pattern), new PreTokenizer.ByteLevel(false, false)));
  }
}
