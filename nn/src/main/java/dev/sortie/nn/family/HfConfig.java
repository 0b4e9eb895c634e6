package dev.sortie.nn.family;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.LayerCycle;
import dev.sortie.tensor.dtype.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What {@code config.json} of a Hugging Face folder says. Fields that would change the arithmetic
 * are honoured or refused by name; others are left alone. Missing fields take the defaults of the
 * family's class in transformers, except sizes, which must be there, and the ids that start and end
 * a text: where they are missing, only Llama has some, as the tokenizer names its own.
 *
 * @param decoder sizes and switches
 * @param bos id that starts a text, where there is one
 * @param eos ids that end a text, maybe none
 * @param dtype type the weights were saved in, where the file says so
 * @param family its {@code model_type}
 */
public record HfConfig(
    DecoderConfig decoder,
    OptionalInt bos,
    List<Integer> eos,
    Optional<DType> dtype,
    String family) {
  static final String FILE = "config.json";
  static final String MODEL_TYPE = "llama";
  static final String CYCLED = "zero_token_transformer";
  static final String ARCHITECTURE = "LlamaForCausalLM";

  /** Ids lie in the vocabulary. */
  public HfConfig {
    eos = List.copyOf(eos);
    bos.ifPresent(id -> checkId("bos_token_id", id, decoder.vocab()));
    eos.forEach(id -> checkId("eos_token_id", id, decoder.vocab()));
  }

  /** That of a model of the Llama family, or of one that is Llama with layers used again. */
  public HfConfig(
      DecoderConfig decoder, OptionalInt bos, List<Integer> eos, Optional<DType> dtype) {
    this(
        decoder,
        bos,
        eos,
        dtype,
        decoder.switches().cycle().equals(LayerCycle.NONE) ? MODEL_TYPE : CYCLED);
  }

  /**
   * Reads {@code config.json}.
   *
   * @param fileOrFolder the file, or the folder that holds it
   * @throws InputException naming the file, the field, the value and what is allowed
   */
  public static HfConfig read(Path fileOrFolder) {
    Path file = Files.isDirectory(fileOrFolder) ? fileOrFolder.resolve(FILE) : fileOrFolder;
    return HfConfigReader.read(Json.read(file));
  }

  private static void checkId(String field, int id, int vocab) {
    if (id < 0 || id >= vocab) {
      throw new InputException(
          "%s is %d, outside the vocabulary 0 to %d".formatted(field, id, vocab - 1));
    }
  }
}
