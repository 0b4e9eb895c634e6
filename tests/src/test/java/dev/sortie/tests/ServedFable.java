package dev.sortie.tests;

import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.host.EmbeddedFolder;
import dev.sortie.eetuning.serve.TextServer;
import dev.sortie.eetuning.serve.api.AccessLog;
import dev.sortie.eetuning.serve.api.ApiKeys;
import dev.sortie.eetuning.serve.api.ServedModel;
import dev.sortie.eetuning.serve.engine.EngineSettings;
import dev.sortie.eetuning.serve.engine.TextEngine;
import dev.sortie.eetuning.serve.http.HttpLimits;
import dev.sortie.eetuning.serve.http.HttpSettings;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The embedded model behind HTTP.
 *
 * @param exits memory of its exits
 */
record ServedFable(
    Device device, LanguageModel model, NativeArena exits, TextEngine engine, TextServer server)
    implements AutoCloseable {
  static final String NAME = "fable";

  /** With a chat template, for clients that others wrote. */
  static ServedFable start() throws InterruptedException {
    ChatTemplate template =
        ChatTemplate.of(
            "{% for m in messages %}{{ m.content }} {% endfor %}", "template", Map.of());
    return start(Optional.of(template), List.of(), ApiKeys.none());
  }

  /** As it is, with exits that are copies of its end. */
  static ServedFable withExits(Integer... depths) throws InterruptedException {
    return start(Optional.empty(), List.of(depths), ApiKeys.none());
  }

  /** As it is, for those who have the key. */
  static ServedFable withKey(String key) throws InterruptedException {
    return start(Optional.empty(), List.of(), ApiKeys.of(key));
  }

  private static ServedFable start(
      Optional<ChatTemplate> template, List<Integer> depths, ApiKeys keys)
      throws InterruptedException {
    Device device = Device.cpu(2);
    LanguageModel model = LanguageModel.load(EmbeddedFolder.FABLE.path(), Precision.FILE, device);
    NativeArena arena = new NativeArena("exits");
    List<Exit> exits =
        depths.stream()
            .map(depth -> new ExitSpec(depth, ExitArchitecture.NORM, true))
            .map(spec -> ExitInit.COPY.build(spec, model.decoder(), 0, arena, device.kernels()))
            .toList();
    Exits all = exits.isEmpty() ? Exits.none() : new Exits(model.sha256(), Map.of(), exits);
    TextEngine engine = new TextEngine(model, all, device, new EngineSettings(8, 8, 4096));
    ServedModel served = new ServedModel(NAME, engine, template, new MaxProbability(1), 64, 1);
    HttpSettings http =
        new HttpSettings("127.0.0.1", 0, List.of(), Optional.empty(), HttpLimits.DEFAULT);
    TextServer server =
        TextServer.start(served, http, keys, AccessLog.NONE, Duration.ofSeconds(60));
    server.warmUp();
    return new ServedFable(device, model, arena, engine, server);
  }

  String url() {
    return "http://127.0.0.1:" + server.port();
  }

  @Override
  public void close() {
    server.close();
    exits.close();
    model.close();
    device.close();
  }
}
