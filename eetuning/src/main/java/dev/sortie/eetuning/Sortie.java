package dev.sortie.eetuning;

import dev.sortie.eetuning.host.ExitsName;
import dev.sortie.eetuning.host.ModelName;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;

/**
 * The entry point for applications.
 *
 * <pre>{@code
 * try (var model = Sortie.load("fable")) {
 *   model.generate("Once upon a time", TextOptions.atMost(64))
 *       .forEach(token -> System.out.print(token.text()));
 * }
 * }</pre>
 *
 * <p>Errors that a user can correct are {@link InputException}s with a message of one line.
 * Messages name options as on the command line. Nothing here prints or ends the process.
 */
public final class Sortie {
  private Sortie() {}

  /**
   * Loads a model by name, with default options.
   *
   * @param name a path, {@code ORG/NAME} as pulled from the hub, or {@code fable} for the embedded
   *     model
   * @throws InputException if there is no such model or a file of it is wrong
   */
  public static Model load(String name) {
    return load(name, LoadOptions.DEFAULT);
  }

  /**
   * Loads a model, with default options.
   *
   * @param path a Hugging Face folder or a {@code .gguf} file
   * @throws InputException if it is not there or a file of it is wrong
   */
  public static Model load(Path path) {
    return load(path, LoadOptions.DEFAULT);
  }

  /**
   * Loads a model by name.
   *
   * @param name as for {@link #load(String)}
   * @throws InputException if there is no such model, a file of it is wrong, or it does not fit in
   *     memory
   * @throws IllegalArgumentException if there is no such device
   */
  public static Model load(String name, LoadOptions options) {
    return load(ModelName.path(name), options);
  }

  /**
   * Loads a model.
   *
   * @param path a Hugging Face folder or a {@code .gguf} file
   * @throws InputException if it is not there, a file of it is wrong, or it does not fit in memory
   * @throws IllegalArgumentException if there is no such device
   */
  public static Model load(Path path, LoadOptions options) {
    Device device = Device.named(options.device(), options.threads());
    try {
      return new Model(
          LanguageModel.load(path, options.precision(), options.arithmetic(), device),
          device,
          options.chatTemplate());
    } catch (RuntimeException | Error e) {
      device.close();
      throw e;
    }
  }

  /**
   * Returns a folder of exits by name, for {@link Model#exits} and {@link Model#calibrated}, which
   * takes its file {@code thresholds.json}.
   *
   * @param name a path, or exits that come with Sortie, unpacked into the user's cache folder:
   *     {@code fable}, or {@code smollm2} for SmolLM2-135M-Instruct
   */
  public static Path exits(String name) {
    return ExitsName.path(name);
  }
}
