package dev.sortie.eetuning.serve;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.serve.api.AccessLog;
import dev.sortie.eetuning.serve.api.ApiKeys;
import dev.sortie.eetuning.serve.api.ServedModel;
import dev.sortie.eetuning.serve.engine.EngineSettings;
import dev.sortie.eetuning.serve.engine.TextEngine;
import dev.sortie.eetuning.serve.http.HttpLimits;
import dev.sortie.eetuning.serve.http.HttpSettings;
import dev.sortie.eetuning.serve.http.TlsIdentity;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** A server of a tiny model with two exits, on a free port. */
final class TinyServer implements AutoCloseable {
  /** Long enough for texts that take seconds. */
  static final int CONTEXT = 20_000;

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final ExitPolicy FULL_DEPTH = new MaxProbability(1);

  static final String TEMPLATE =
      """
      {% if tools %}tools: {{ tools | tojson }}
      {% endif %}{% for m in messages %}{{ m.role }}: {{ m.content }}
      {% endfor %}{% if add_generation_prompt %}assistant:{% endif %}""";

  private final Device device = Device.cpu(2);
  private final NativeArena arena = new NativeArena("exits");
  final LanguageModel model;
  final Exits exits;
  final TextEngine engine;
  final ChatTemplate template;
  final List<String> log = new CopyOnWriteArrayList<>();
  private final TextServer server;

  TinyServer(Path folder, EngineSettings settings, HttpLimits limits, ApiKeys keys)
      throws InterruptedException {
    this(folder, settings, limits, keys, Optional.empty(), TEMPLATE);
  }

  TinyServer(
      Path folder,
      EngineSettings settings,
      HttpLimits limits,
      ApiKeys keys,
      Optional<TlsIdentity> tls,
      String template)
      throws InterruptedException {
    this(folder, settings, limits, keys, tls, template, PATIENCE, FULL_DEPTH);
  }

  private TinyServer(
      Path folder,
      EngineSettings settings,
      HttpLimits limits,
      ApiKeys keys,
      Optional<TlsIdentity> tls,
      String template,
      Duration most,
      ExitPolicy policy)
      throws InterruptedException {
    model =
        LanguageModel.load(
            TinyModel.write(folder.resolve("model"), 4, 16, 290, CONTEXT, 1),
            Precision.F32,
            device);
    exits =
        new Exits(
            model.sha256(),
            Map.of(),
            List.of(exit(1, ExitArchitecture.NORM), exit(3, ExitArchitecture.LAYER)));
    engine = new TextEngine(model, exits, device, settings);
    this.template = ChatTemplate.of(template, "template", Map.of());
    ServedModel served = new ServedModel("tiny", engine, Optional.of(this.template), policy, 20, 7);
    server =
        TextServer.start(
            served,
            new HttpSettings("127.0.0.1", 0, List.of("llm.example.com"), tls, limits),
            keys,
            new AccessLog(log::add),
            most);
    server.warmUp();
  }

  /** Eight texts at once, eight that wait, and room for all. */
  static TinyServer start(Path folder) throws InterruptedException {
    return start(folder, TEMPLATE, PATIENCE, FULL_DEPTH);
  }

  /** The same for answers that may take so long. */
  static TinyServer withTimeout(Path folder, Duration most) throws InterruptedException {
    return start(folder, TEMPLATE, most, FULL_DEPTH);
  }

  /** The same with a chat template that does not write tools down. */
  static TinyServer withoutTools(Path folder) throws InterruptedException {
    return start(
        folder,
        "{{ mood }}{% for m in messages %}{{ m.content }}{% endfor %}",
        PATIENCE,
        FULL_DEPTH);
  }

  /** The same where texts leave by this policy unless a request gives another. */
  static TinyServer withPolicy(Path folder, ExitPolicy policy) throws InterruptedException {
    return start(folder, TEMPLATE, PATIENCE, policy);
  }

  private static TinyServer start(Path folder, String template, Duration most, ExitPolicy policy)
      throws InterruptedException {
    return new TinyServer(
        folder,
        new EngineSettings(8, 8, 4 * CONTEXT),
        HttpLimits.DEFAULT,
        ApiKeys.none(),
        Optional.empty(),
        template,
        most,
        policy);
  }

  private Exit exit(int depth, ExitArchitecture a) {
    return ExitInit.COPY.build(
        new ExitSpec(depth, a, true), model.decoder(), 0, arena, device.kernels());
  }

  int port() {
    return server.port();
  }

  TextServer server() {
    return server;
  }

  RawClient.Answer post(String path, String json, String... headers) {
    return RawClient.post(port(), path, json, headers);
  }

  /** What the model generates without a server. */
  Generation alone(int[] prompt, ExitPolicy policy, GenerateOptions options) {
    int capacity = prompt.length + options.maxTokens();
    try (EarlyExit e =
        new EarlyExit(model.decoder(), exits, policy, capacity, EarlyExit.MAX_PENDING, device)) {
      return new Generator(
              e, model.tokenizer(), Prompt.endsOfAnswer(model), model.config().decoder().vocab())
          .run(prompt, options, t -> {});
    }
  }

  Device device() {
    return device;
  }

  /** Waits until so many requests are done with: their answers are sent a moment before. */
  void awaitRequests(int count) throws InterruptedException {
    for (int i = 0; i < 1000 && log.size() < count; i++) {
      Thread.sleep(5);
    }
  }

  /** Whether nothing is being done and all memory is back, within a second. */
  boolean isIdleWithinASecond() throws InterruptedException {
    long deadline = System.nanoTime() + 1_000_000_000L;
    while (System.nanoTime() < deadline) {
      if (engine.waiting() == 0
          && engine.load().running() == 0
          && engine.load().freePages() == engine.pages()) {
        return true;
      }
      Thread.sleep(5);
    }
    return false;
  }

  @Override
  public void close() {
    server.close();
    arena.close();
    model.close();
    device.close();
  }
}
