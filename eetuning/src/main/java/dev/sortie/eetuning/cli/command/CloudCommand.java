package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.option.DecodedModelMixin;
import dev.sortie.eetuning.cli.option.Ports;
import dev.sortie.eetuning.decode.edge.CloudServer;
import dev.sortie.eetuning.decode.pipeline.DecodingStages;
import dev.sortie.eetuning.host.ModelName;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.parallel.comm.transport.tcp.LinkKeys;
import dev.sortie.parallel.comm.transport.tcp.LinkListener;
import dev.sortie.parallel.launch.RankEnvironment;
import dev.sortie.tensor.device.Device;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The deeper layers of a model, for edges. */
@Command(
    name = "cloud",
    mixinStandardHelpOptions = true,
    description = {
      "Computes the deeper layers of a model for generate --edge on other machines: for tokens at "
          + "which no exit there is confident.",
      "Both sides need the same secret in SORTIE_JOB_TOKEN; SORTIE_TLS_KEY_STORE encrypts what is "
          + "sent. See docs/edge.md."
    })
public final class CloudCommand implements Callable<Integer> {
  @Mixin private ComputeMixin compute;
  @Mixin private DecodedModelMixin model;

  @Option(
      names = "--from",
      paramLabel = "N",
      required = true,
      description =
          "Layers that edges compute, as in their --edge N; the layers after them are computed here.")
  private int from;

  @Option(
      names = "--host",
      paramLabel = "H",
      defaultValue = "127.0.0.1",
      description =
          "Address to listen on. Default: ${DEFAULT-VALUE}, reachable from this "
              + "machine only. Use 0.0.0.0 for all interfaces, with TLS.")
  private String host;

  @Option(
      names = "--port",
      paramLabel = "N",
      defaultValue = "7070",
      description = "Port to listen on; 0 chooses a free port. Default: ${DEFAULT-VALUE}.")
  private int port;

  @Option(
      names = "--texts",
      paramLabel = "N",
      defaultValue = "16",
      description =
          "Maximum number of texts at one time; edges with further ones decide alone. "
              + "Default: ${DEFAULT-VALUE}.")
  private int texts;

  @Option(
      names = "--json",
      description = "Print one JSON object to standard output when edges can connect.")
  private boolean json;

  @Override
  public Integer call() throws InterruptedException {
    Ports.requireListening(port);
    if (texts < 1) {
      throw new UsageException("--texts " + texts + " must be at least 1");
    }
    LinkKeys keys = RankEnvironment.linkKeys(System.getenv());
    try (Device device = compute.open();
        LanguageModel m = model.load(device, c -> part(c), false)) {
      m.statesSha256(); // edges are compared with it; they should not wait for it
      InetSocketAddress address = new InetSocketAddress(host, port);
      try (LinkListener listener = listen(address, keys);
          CloudServer server =
              new CloudServer(
                  m, from, texts, listener, line -> System.err.println("cloud: " + line))) {
        stopWithTheProcess(server);
        announce(m, address, listener, keys);
        server.run();
      } catch (IOException e) {
        throw new InputException(
            "cannot listen on --host %s --port %d: %s".formatted(host, port, e.getMessage()), e);
      }
    }
    return 0;
  }

  private DecoderBuilder part(DecoderConfig config) {
    if (from < 1 || from >= config.layers()) {
      throw new InputException(
          "--from %d is outside 1 to %d; the model has %d layers, and the first is the edge's"
              .formatted(from, config.layers() - 1, config.layers()));
    }
    List<Integer> ends = List.of(from, config.layers());
    return DecoderBuilder.part(new DecodingStages(config, List.of(), ends).tensors(1));
  }

  private static LinkListener listen(InetSocketAddress address, LinkKeys keys) throws IOException {
    if (address.isUnresolved()) {
      throw new IOException("no machine of this name is known");
    }
    return new LinkListener(address, keys);
  }

  /** Told to stop, the process ends with code 0; edges decide alone from then on. */
  private static void stopWithTheProcess(CloudServer server) {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  server.close();
                  Runtime.getRuntime().halt(0);
                },
                "stop"));
  }

  private void announce(
      LanguageModel m, InetSocketAddress address, LinkListener listener, LinkKeys keys)
      throws IOException {
    if (keys.tls().isEmpty() && !address.getAddress().isLoopbackAddress()) {
      System.err.println(
          "cloud: without TLS, whoever is on the network between reads and changes what is sent;"
              + " set SORTIE_TLS_KEY_STORE on both sides");
    }
    int layers = m.config().decoder().layers();
    if (json) {
      System.out.println(
          Json.compact(
              Json.object(
                  "host",
                  host,
                  "port",
                  listener.port(),
                  "from",
                  from,
                  "layers",
                  layers,
                  "sha256",
                  m.statesSha256(),
                  "tls",
                  keys.tls().isPresent(),
                  "arithmetic",
                  m.arithmetic().word(),
                  "memory",
                  model.memory())));
    } else {
      System.out.printf(
          "layers %d to %d of %s for edges at %s:%d%s%n",
          from + 1,
          layers,
          ModelName.of(model.path()),
          host,
          listener.port(),
          keys.tls().isPresent() ? ", TLS 1.3" : "");
    }
    System.out.flush();
  }
}
