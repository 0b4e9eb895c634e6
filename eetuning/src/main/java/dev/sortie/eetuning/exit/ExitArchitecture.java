package dev.sortie.eetuning.exit;

import dev.sortie.nn.Sharding;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What stands between a hidden state and an exit's logits (EE-Tuning, arXiv 2402.00518, section
 * 2.2): one row per architecture, which its own file answers for. {@code x} is the output of
 * backbone layer {@code l}, {@code a} the residual after its attention, {@code W} the head. The
 * {@link Lookahead} exit is none of these: it reads the token chosen from the final layer too.
 */
public enum ExitArchitecture {
  /** {@code W x}. */
  EMBEDDING(EmbeddingExit::of, EmbeddingExit::original),
  /** {@code W norm(x)}. */
  NORM(NormExit::of, NormExit::original),
  /** {@code W norm(a + mlp(n(a)))}. */
  MLP(MlpExit::of, MlpExit::original),
  /** {@code W norm(layer(x))}. */
  LAYER(LayerExit::of, LayerExit::original);

  private final Modules modules;
  private final Originals originals;

  ExitArchitecture(Modules modules, Originals originals) {
    this.modules = modules;
    this.originals = originals;
  }

  /** Builds an exit's modules from the tensors that they ask for. */
  private interface Modules {
    ExitBranch of(DecoderConfig share, Weights weights, Sharding sharding);
  }

  /** The backbone's tensor that a tensor of a new exit is a copy of; none if it begins at 0. */
  private interface Originals {
    Optional<String> of(String name, int depth, Decoder backbone);
  }

  /**
   * The modules of an exit, or of one rank's share of it.
   *
   * @param share sizes of the rank's share of the backbone
   * @param weights by names within the exit
   * @param sharding where the modules meet those of other ranks
   */
  ExitBranch branch(DecoderConfig share, Weights weights, Sharding sharding) {
    return modules.of(share, weights, sharding);
  }

  /**
   * The name of the backbone's tensor that a tensor of a new exit begins as a copy of; empty if it
   * begins at 0.
   *
   * @param name within the exit
   * @param depth after how many layers the exit stands
   */
  Optional<String> original(String name, int depth, Decoder backbone) {
    return originals.of(name, depth, backbone);
  }

  /** The word used in files and options. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The architecture that {@code word} names. */
  public static ExitArchitecture of(String word) {
    for (ExitArchitecture a : values()) {
      if (a.word().equals(word)) {
        return a;
      }
    }
    throw new UsageException(
        "--arch '"
            + word
            + "' is unknown; take one of "
            + words()
            + ", or lookahead with add-exits");
  }

  /** All words. */
  public static List<String> words() {
    return Arrays.stream(values()).map(ExitArchitecture::word).toList();
  }
}
