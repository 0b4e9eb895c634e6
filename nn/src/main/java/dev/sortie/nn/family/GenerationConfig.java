package dev.sortie.nn.family;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.TextFiles;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * {@code generation_config.json} of a Hugging Face folder: what the model's makers use when it
 * generates. Chat models name the token that ends a turn there.
 */
public final class GenerationConfig {
  private static final String FILE = "generation_config.json";
  private static final String EOS = "eos_token_id";

  private GenerationConfig() {}

  /**
   * Copies the file, where there is one, for a model that is written as another folder.
   *
   * @param from the model; a file, such as a GGUF file, has no such settings
   */
  public static void copy(Path from, Path to) {
    Path file = from.resolve(FILE);
    if (Files.isDirectory(from) && Files.exists(file)) {
      AtomicFiles.write(to.resolve(FILE), TextFiles.read(file).getBytes(StandardCharsets.UTF_8));
    }
  }

  /**
   * The ids that end a generation; none if there is no such file or field.
   *
   * @param folder the model; a file, such as a GGUF file, has no such settings
   * @param vocab size of the vocabulary, which bounds them
   * @throws InputException if the field is neither an id nor a list of ids
   */
  public static List<Integer> eos(Path folder, int vocab) {
    Path file = folder.resolve(FILE);
    if (!Files.isDirectory(folder) || !Files.exists(file)) {
      return List.of();
    }
    JsonObject settings = Json.read(file);
    if (!settings.has(EOS)) {
      return List.of();
    }
    return settings.fields().get(EOS) instanceof List<?>
        ? settings.getInts(EOS, 0, vocab - 1)
        : List.of(settings.getInt(EOS, 0, vocab - 1));
  }
}
