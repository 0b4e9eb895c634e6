package dev.sortie.tests;

import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.host.Fable;
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
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The embedded model behind HTTP, with a chat template, for clients that others wrote. */
record ServedFable(Device device, LanguageModel model, TextServer server) implements AutoCloseable {
  static final String NAME = "fable";

  static ServedFable start() throws InterruptedException {
    Device device = Device.cpu(2);
    LanguageModel model = LanguageModel.load(Fable.folder(), Precision.FILE, device);
    TextEngine engine = new TextEngine(model, Exits.none(), device, new EngineSettings(8, 8, 4096));
    ChatTemplate template =
        ChatTemplate.of(
            "{% for m in messages %}{{ m.content }} {% endfor %}", "template", Map.of());
    ServedModel served =
        new ServedModel(NAME, engine, Optional.of(template), new MaxProbability(1), 64, 1);
    HttpSettings http = new HttpSettings("127.0.0.1", 0, List.of(), Optional.empty(), HttpLimits.DEFAULT);
    TextServer server =
        TextServer.start(served, http, ApiKeys.none(), AccessLog.NONE, Duration.ofSeconds(60));
    server.warmUp();
    return new ServedFable(device, model, server);
  }

  String url() {
    return "http://127.0.0.1:" + server.port();
  }

  @Override
  public void close() {
    server.close();
    model.close();
    device.close();
  }
}
