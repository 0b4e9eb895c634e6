package dev.sortie.benchmarks.cold;

import dev.sortie.benchmarks.measure.CommandProcess;
import dev.sortie.benchmarks.peer.Peers;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Gguf;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.List;

/**
 * llama.cpp, started by a Python script that reads a prompt and writes tokens as they come.
 *
 * @param peers where it is installed
 * @param model a GGUF file
 * @param threads of its computation
 * @param logs folder for what it writes to standard error
 */
public record LlamaStart(Peers peers, Path model, int threads, Path logs) {

  /**
   * Starts it.
   *
   * @param prompt a UTF-8 file
   * @param tokens that follow
   * @throws InputException if it is not installed or cannot read such a model
   */
  CommandProcess start(Path prompt, int tokens) {
    if (!Gguf.isGguf(model)) {
      throw new InputException(
          model
              + ": llama.cpp reads .gguf files alone; make one with ./sortie convert, or give --no-peer");
    }
    List<String> args =
        List.of(
            model.toString(),
            Integer.toString(threads),
            prompt.toString(),
            Integer.toString(tokens));
    return CommandProcess.start(
        "llama.cpp",
        peers.script("xllamacpp", List.of("llama_start.py"), args),
        Redirect.PIPE,
        logs.resolve("llama.log"));
  }

  /** What a run says of itself once it has ended. */
  static JsonObject report(CommandProcess ended) {
    return Json.parse("llama.cpp's last line", ended.lastLine(), JsonLimits.CONFIG);
  }
}
