package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.eetuning.cli.option.DecodedModelMixin;
import dev.sortie.eetuning.cli.option.HttpMixin;
import dev.sortie.eetuning.cli.option.ServedExitsMixin;
import dev.sortie.eetuning.cli.view.LogFile;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.host.ModelName;
import dev.sortie.eetuning.serve.TextServer;
import dev.sortie.eetuning.serve.api.AccessLog;
import dev.sortie.eetuning.serve.api.ApiKeys;
import dev.sortie.eetuning.serve.api.ServedModel;
import dev.sortie.eetuning.serve.engine.EngineSettings;
import dev.sortie.eetuning.serve.engine.TextEngine;
import dev.sortie.eetuning.serve.http.HttpSettings;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A server. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    description = {
      "Serves a model over HTTP with the OpenAI API and continuous batching. "
          + "On Ctrl-C or SIGTERM it stops accepting requests, completes those in "
          + "progress and exits.",
      "docs/serve.md lists the endpoints, with an example of each."
    })
public final class ServeCommand implements Callable<Integer> {
  /** Tokens that each text has in the cache, where nobody says otherwise. */
  private static final int USUAL_TOKENS = 1024;

  @Mixin private ComputeMixin compute;
  @Mixin private DecodedModelMixin model;
  @Mixin private ServedExitsMixin exits;
  @Mixin private HttpMixin http;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "Model name in requests. Default: the name of its folder or file.")
  private String name;

  @Option(
      names = "--chat-template",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description = "A Jinja chat template to use instead of the model's own." + ReadOnce.HELP)
  private Path template;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "1024",
      description =
          "Maximum number of tokens per answer, for requests that set no limit. "
              + "Default: ${DEFAULT-VALUE}.")
  private int maxTokens;

  @Option(
      names = "--parallel",
      paramLabel = "N",
      defaultValue = "16",
      description =
          "Maximum number of texts generated concurrently. Default: " + "${DEFAULT-VALUE}.")
  private int parallel;

  @Option(
      names = "--queue",
      paramLabel = "N",
      defaultValue = "128",
      description =
          "Maximum number of queued requests. Further requests are rejected with "
              + "status 429. Default: ${DEFAULT-VALUE}.")
  private int queue;

  @Option(
      names = "--cache-tokens",
      paramLabel = "N",
      description =
          "Capacity of the KV cache in tokens, for all texts together. Space for a "
              + "prompt and its maximum number of tokens is reserved when a text starts. "
              + "Default: 1024 times --parallel, and at least the model's context.")
  private Integer cacheTokens;

  @Option(
      names = "--no-drafts",
      description = "Do not draft tokens. Drafts change no token, only the time.")
  private boolean noDrafts;

  @Option(
      names = "--request-timeout",
      paramLabel = "SECONDS",
      defaultValue = "600",
      description =
          "Time limit for one answer, including time in the queue. Default: " + "${DEFAULT-VALUE}.")
  private int timeout;

  @Option(
      names = "--drain-timeout",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description =
          "How long to wait for answers in progress on shutdown. Default: " + "${DEFAULT-VALUE}.")
  private int drain;

  @Option(
      names = "--access-log",
      paramLabel = "FILE",
      description =
          "Append one line of JSON per request to this file: client, endpoint, "
              + "status, duration. Prompts and answers are not logged.")
  private Path accessLog;

  @Option(
      names = "--json",
      description = "Print one JSON object to standard output when the server is ready.")
  private boolean json;

  @Override
  public Integer call() throws InterruptedException {
    check("--max-tokens", maxTokens);
    check("--request-timeout", timeout);
    check("--drain-timeout", drain);
    if (name != null && name.isBlank()) {
      throw new UsageException(
          "--name is empty; give the name by which requests ask for the model");
    }
    ExitPolicy policy = exits.policy();
    EngineSettings given = // refused before the model is loaded
        new EngineSettings(
            parallel, queue, cacheTokens == null ? USUAL_TOKENS : cacheTokens, !noDrafts);
    HttpSettings settings = http.settings();
    ApiKeys keys = http.keys();
    try (LogFile log = LogFile.open(accessLog);
        Device opened = compute.open();
        LanguageModel m = model.load(opened);
        NativeArena arena = new NativeArena("exits")) {
      Device device = m.device();
      Exits asked = exits.exits(policy, m, arena, device);
      TextEngine engine = new TextEngine(m, asked, device, sized(given, m));
      String called = name == null ? ModelName.of(model.path()) : name;
      ServedModel served =
          new ServedModel(
              called,
              engine,
              // clients learn what is wrong with a conversation, and no path of this machine
              template(model.path()).map(t -> t.named("chat template of " + called)),
              policy,
              maxTokens,
              System.currentTimeMillis() / 1000);
      try (TextServer server =
          TextServer.start(
              served, settings, keys, new AccessLog(log::line), Duration.ofSeconds(timeout))) {
        stopWithTheProcess(server);
        server.warmUp();
        announce(server, served, m);
        new CountDownLatch(1).await(); // until the process is told to stop
      }
    }
    return 0;
  }

  private static void check(String option, int value) {
    if (value < 1) {
      throw new UsageException(option + " " + value + " must be at least 1");
    }
  }

  /** With the usual cache for this model, where the user names none. */
  private EngineSettings sized(EngineSettings given, LanguageModel m) {
    if (cacheTokens != null) {
      return given;
    }
    int context = m.config().decoder().context();
    long usual = Math.max(context, (long) parallel * Math.min(context, USUAL_TOKENS));
    return new EngineSettings(parallel, queue, (int) Math.min(usual, 1 << 24), !noDrafts);
  }

  private Optional<ChatTemplate> template(Path path) {
    return template == null
        ? ChatTemplate.ofModel(path)
        : Optional.of(ChatTemplate.ofFile(template, path));
  }

  /** Told to stop, the process ends with code 0 when all answers are sent. */
  private void stopWithTheProcess(TextServer server) {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  boolean sent = server.stop(Duration.ofSeconds(drain));
                  if (!sent) {
                    System.err.printf(
                        "sortie serve: answers did not end within %d s and are cut off; --drain-timeout S waits longer%n",
                        drain);
                  }
                  server.close();
                  Runtime.getRuntime().halt(sent ? 0 : 1);
                },
                "stop"));
  }

  private void announce(TextServer server, ServedModel served, LanguageModel m) {
    String url = http.url(server.port());
    if (json) {
      System.out.println(
          Json.compact(
              Json.object(
                  "url",
                  url,
                  "model",
                  served.name(),
                  "arithmetic",
                  m.arithmetic().word(),
                  "memory",
                  model.memory())));
    } else {
      System.out.printf(
          "%s is served at %s/v1, %d texts at once, %d tokens of cache%n",
          served.name(), url, parallel, served.engine().settings().cacheTokens());
    }
    System.out.flush();
  }
}
