package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.view.PullView;
import dev.sortie.eetuning.host.ModelName;
import dev.sortie.nn.InputException;
import dev.sortie.nn.hub.FileChoice;
import dev.sortie.nn.hub.HubCache;
import dev.sortie.nn.hub.HubSettings;
import dev.sortie.nn.hub.Pull;
import dev.sortie.nn.hub.RepoId;
import dev.sortie.nn.json.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Models from the Hugging Face hub. */
@Command(
    name = "pull",
    mixinStandardHelpOptions = true,
    description = {
      "Downloads a model from the Hugging Face hub into its cache, checked by hash; a pull that was interrupted goes on. Then --model ORG/NAME names it.",
      "A server that sends nothing, or less than 30 KiB, in 30 s is asked again; after six such tries in a row the pull ends, and what has come is kept. Files that are here are checked too, and pulled again where they are damaged.",
      "Without --gguf or --include: configuration, tokenizer, chat template and safetensors.",
      "Variables, as for the hub's own tools: HF_TOKEN, HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE. A proxy is named by SORTIE_JAVA_OPTS=\"-Dhttps.proxyHost=… -Dhttps.proxyPort=…\"."
    })
public final class PullCommand implements Callable<Integer> {
  @Parameters(paramLabel = "ORG/NAME", description = "The repository.")
  private String repository;

  @Option(
      names = "--revision",
      paramLabel = "R",
      defaultValue = HubCache.MAIN,
      description = "Branch, tag or commit. Default: ${DEFAULT-VALUE}.")
  private String revision;

  @Option(
      names = "--include",
      paramLabel = "GLOB",
      description =
          "Exactly the files that match; * stands for any characters, / too, ? for one. May be repeated.")
  private List<String> include = new ArrayList<>();

  @Option(
      names = "--gguf",
      paramLabel = "FILE",
      description = "One GGUF file: its name, or a part that no other has, such as q4_k_m.")
  private String gguf;

  @Option(
      names = "--endpoint",
      paramLabel = "URL",
      description = "Another hub than HF_ENDPOINT or https://huggingface.co.")
  private String endpoint;

  @Option(
      names = "--cache",
      paramLabel = "DIR",
      description = "Another cache than HF_HUB_CACHE or ~/.cache/huggingface/hub.")
  private Path cache;

  @Option(
      names = "--json",
      description = "Folder, commit and files as one JSON object on standard output.")
  private boolean json;

  @Override
  public Integer call() {
    RepoId repo = RepoId.parse(repository);
    HubSettings settings = HubSettings.of(System.getenv(), ModelName.home());
    settings = endpoint == null ? settings : settings.withEndpoint(endpoint);
    settings = cache == null ? settings : settings.withCache(cache);
    Pull.Result result;
    try (PullView view = new PullView(System.err)) {
      result = new Pull(settings, view).run(repo, revision, choice());
    }
    if (json) {
      System.out.println(Json.compact(asJson(repo, result)));
    } else {
      System.err.printf(
          "%s: %d files at commit %s%n", repo, result.files().size(), result.commit());
      System.out.println(result.snapshot());
    }
    return 0;
  }

  private FileChoice choice() {
    if (gguf != null && !include.isEmpty()) {
      throw new InputException("give --gguf FILE or --include GLOB, one of the two");
    }
    if (gguf != null) {
      return new FileChoice.GgufFile(gguf);
    }
    return include.isEmpty() ? new FileChoice.Runnable() : new FileChoice.Matching(include);
  }

  private static Map<String, Object> asJson(RepoId repo, Pull.Result result) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("model", repo.toString());
    root.put("commit", result.commit());
    root.put("path", result.snapshot().toString());
    root.put("files", result.files());
    root.put("downloaded_bytes", result.downloaded());
    return root;
  }
}
