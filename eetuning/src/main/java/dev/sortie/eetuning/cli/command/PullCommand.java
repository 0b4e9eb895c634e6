package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.view.PullView;
import dev.sortie.eetuning.host.ModelName;
import dev.sortie.nn.UsageException;
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
      "Downloads a model from the Hugging Face hub into the hub's cache and "
          + "verifies its hashes. Interrupted downloads are resumed. Use the model "
          + "as --model ORG/NAME.",
      "A request that yields less than 30 KiB in 30 s is retried; after six "
          + "failed attempts in a row the command gives up and keeps what was "
          + "downloaded. Files already in the cache are verified, and downloaded "
          + "again if they are damaged.",
      "Without --gguf or --include, the configuration, tokenizer, chat "
          + "template and safetensors files are downloaded.",
      "Environment variables, as for the hub's own tools: HF_TOKEN, "
          + "HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE. To use a proxy, set "
          + "SORTIE_JAVA_OPTS=\"-Dhttps.proxyHost=… -Dhttps.proxyPort=…\"."
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
          "Download only the files that match. * matches any characters including "
              + "/, ? matches one. May be repeated.")
  private List<String> include = new ArrayList<>();

  @Option(
      names = "--gguf",
      paramLabel = "FILE",
      description = "Download one GGUF file: its name, or a unique part of it such as q4_k_m.")
  private String gguf;

  @Option(
      names = "--endpoint",
      paramLabel = "URL",
      description = "URL of the hub. Default: HF_ENDPOINT, else https://huggingface.co.")
  private String endpoint;

  @Option(
      names = "--cache",
      paramLabel = "DIR",
      description = "Cache folder. Default: HF_HUB_CACHE, else ~/.cache/huggingface/hub.")
  private Path cache;

  @Option(
      names = "--json",
      description =
          "Print the folder, commit and files as one JSON object to standard " + "output.")
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
      throw new UsageException("give --gguf FILE or --include GLOB, but not both");
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
