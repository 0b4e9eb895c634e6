package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.base.OutputReader;
import dev.sortie.eetuning.cli.option.DecodedModelMixin;
import dev.sortie.eetuning.cli.option.DecodingMixin;
import dev.sortie.eetuning.cli.option.DecodingMixin.Decoding;
import dev.sortie.eetuning.cli.option.TextInputMixin;
import dev.sortie.eetuning.cli.view.ExplanationView;
import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.explain.Explanation;
import dev.sortie.eetuning.explain.ExplanationJson;
import dev.sortie.eetuning.explain.TokenExplainer;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Explains one token. */
@Command(
    name = "explain",
    mixinStandardHelpOptions = true,
    description =
        "Shows how one token of a text is chosen: the kernels that each layer runs, with shapes, "
            + "types and times, what each exit predicts, whether the token leaves there, and "
            + "which layers were computed later. The text is generated as generate does it, "
            + "without drafts.")
public final class ExplainCommand implements Callable<Integer> {
  @Mixin private ComputeMixin compute;
  @Mixin private DecodedModelMixin model;
  @Mixin private TextInputMixin prompt;
  @Mixin private DecodingMixin decoding;

  @Option(
      names = "--token",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "The generated token to explain: 1 is the first one after the prompt, which always "
              + "comes from the final layer. Default: ${DEFAULT-VALUE}.")
  private int token;

  @Option(names = "--parse-special", description = "Parse special tokens in the prompt.")
  private boolean parseSpecial;

  @Option(names = "--json", description = "JSON on standard output, with every kernel call.")
  private boolean json;

  @Override
  public Integer call() throws InterruptedException {
    if (token < 1) {
      throw new UsageException("--token " + token + " must be at least 1");
    }
    Decoding d = decoding.decoding(token).alone();
    String text = prompt.read("--prompt", "--prompt-file");
    try (Device opened = compute.open();
        LanguageModel m = model.load(opened);
        NativeArena arena = new NativeArena("exits")) {
      Exits exits = decoding.allExits(d, m, arena, m.device());
      int[] ids = Prompt.encode(m, text, new EncodeOptions(true, parseSpecial));
      TokenExplainer explainer = decoding.explainer(d, m, exits);
      Explanation e =
          explainer.explain(
              ids,
              token,
              d.options(),
              pass -> {
                OutputReader.require();
                return pass.get();
              });
      if (json) {
        Map<String, Object> result = ExplanationJson.of(e);
        result.put("kernel_set", m.device().kernels().name());
        result.put("arithmetic", m.arithmetic().word());
        result.put("memory", model.memory());
        System.out.println(Json.compact(result));
      } else {
        new ExplanationView(e, m.device().kernels().name()).print(System.out);
      }
    }
    return 0;
  }
}
