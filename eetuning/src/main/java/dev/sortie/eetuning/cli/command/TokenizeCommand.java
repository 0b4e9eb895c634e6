package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.option.TextInputMixin;
import dev.sortie.eetuning.host.ModelName;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.Tokenizer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Ids of a text. */
@Command(
    name = "tokenize",
    mixinStandardHelpOptions = true,
    description = "Shows the token ids of a text.")
public final class TokenizeCommand implements Callable<Integer> {
  @Option(names = "--model", required = true, paramLabel = "M", description = ModelName.HELP)
  private String model;

  @Mixin private TextInputMixin text;

  @Option(names = "--parse-special", description = "Parse special tokens in the text.")
  private boolean parseSpecial;

  @Option(names = "--json", description = "JSON on standard output.")
  private boolean json;

  @Override
  public Integer call() {
    Tokenizer tokenizer = ModelFiles.tokenizer(ModelName.path(model));
    int[] ids =
        tokenizer.encode(text.read("--text", "--file"), new EncodeOptions(true, parseSpecial));
    if (json) {
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("ids", Arrays.stream(ids).boxed().toList());
      result.put("text", tokenizer.decode(ids));
      System.out.println(Json.compact(result));
    } else {
      System.out.println(Arrays.toString(ids));
    }
    return 0;
  }
}
