package dev.sortie.eetuning.decode.edge;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.pipeline.DecodingStages;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.parallel.comm.transport.tcp.LinkKeys;
import dev.sortie.parallel.comm.transport.tcp.LinkListener;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;

/** A tiny model with exits, cut after one of them: an edge, and a cloud in the same process. */
final class EdgeAndCloud implements AutoCloseable {
  static final int LAYERS = 5;
  static final int CONTEXT = 700;
  static final int TOKENS = 60;
  static final LinkKeys KEYS = keys("a secret of this test");

  /** The exits are after all layers but the last. */
  private static final List<ExitSpec> EXITS =
      List.of(
          new ExitSpec(1, ExitArchitecture.NORM, true),
          new ExitSpec(2, ExitArchitecture.LAYER, false, 60),
          new ExitSpec(3, ExitArchitecture.MLP, true),
          new ExitSpec(4, ExitArchitecture.LAYER, true));

  final Queue<String> log = new ConcurrentLinkedQueue<>();
  final int layers;
  private final Device device = Device.cpu(1);
  private final Device cloudDevice = Device.cpu(1);
  private final NativeArena arena = new NativeArena("exits");
  private final LanguageModel whole;
  private final LanguageModel edge;
  private final LanguageModel cloud;
  private final Exits exits;
  private final Exits exitsOfEdge;
  private final CloudServer server;
  private final int port;

  /**
   * With a model below {@code folder}.
   *
   * @param layers of the edge
   * @param texts that the cloud takes at one time
   */
  EdgeAndCloud(Path folder, int layers, int texts) throws IOException {
    this(folder, layers, texts, 1);
  }

  /** With another model for each seed. */
  EdgeAndCloud(Path folder, int layers, int texts, long seed) throws IOException {
    this.layers = layers;
    Path files = TinyModel.write(folder.resolve("model"), LAYERS, 32, 290, CONTEXT, seed);
    whole = LanguageModel.load(files, Precision.FILE, device);
    Exits built =
        new Exits(
            whole.sha256(),
            Map.of(),
            EXITS.stream()
                .map(s -> ExitInit.COPY.build(s, whole.decoder(), 0, arena, device.kernels()))
                .toList());
    Path exitsFolder = folder.resolve("exits");
    ExitsFile.write(exitsFolder, built, whole);
    exits = read(exitsFolder, whole, layers);
    DecodingStages plan =
        new DecodingStages(
            whole.config().decoder(),
            ExitsFile.outlines(exitsFolder, whole.config().decoder()),
            List.of(layers, LAYERS));
    edge = part(files, plan, 0, device);
    exitsOfEdge = read(exitsFolder, edge, layers);
    cloud = part(files, new DecodingStages(plan.config(), List.of(), plan.ends()), 1, cloudDevice);
    LinkListener listener =
        new LinkListener(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), KEYS);
    port = listener.port();
    server = new CloudServer(cloud, layers, texts, listener, log::add);
    Thread.ofPlatform().daemon().start(this::serve);
  }

  static LinkKeys keys(String secret) {
    return new LinkKeys(secret.getBytes(StandardCharsets.UTF_8), Optional.empty());
  }

  private static LanguageModel part(Path files, DecodingStages plan, int stage, Device device) {
    return LanguageModel.load(
        ModelFiles.open(files), Precision.FILE, device, DecoderBuilder.part(plan.tensors(stage)));
  }

  private Exits read(Path folder, LanguageModel m, int deepest) {
    return ExitsReader.of(m).at(depth -> depth <= deepest).read(folder, arena, device.kernels());
  }

  private void serve() {
    try {
      server.run();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Where the cloud listens. */
  int port() {
    return port;
  }

  static GenerateOptions options(double temperature) {
    SamplingOptions sampling = new SamplingOptions(temperature, 0, 1, 0, 1.3, 7);
    return new GenerateOptions(TOKENS, sampling, List.of(), true);
  }

  /** What opens a text of the cloud's model, or of one of another hash. */
  static Frame.Open open(String sha256, int from, int room) {
    return new Frame.Open(
        Frame.VERSION, sha256, LAYERS, 32, 290, from, LinkType.F32, room, options(0).sampling());
  }

  /** Long enough for a busy machine. */
  static EdgeDecoder.Settings settings(int port, ExitPolicy policy) {
    return new EdgeDecoder.Settings(
        "localhost", port, KEYS, policy, 15, options(0.8), LinkType.F32, Duration.ofSeconds(60));
  }

  EdgeGeneration write(EdgeDecoder.Settings settings, int[] prompt) {
    return new EdgeDecoder(edge, exitsOfEdge, layers, settings)
        .run(prompt, List.of(), (t, by) -> {});
  }

  /** The same in one process. */
  Generation reference(EdgeDecoder.Settings s, int[] prompt) {
    return reference(
        new EarlyExit(whole.decoder(), exits, s.policy(), CONTEXT, s.maxPending(), device),
        s,
        prompt);
  }

  /** The text of all layers. */
  Generation fullDepth(EdgeDecoder.Settings s, int[] prompt) {
    return reference(new FullDepth(whole.decoder(), CONTEXT, device), s, prompt);
  }

  private Generation reference(DecodingStrategy way, EdgeDecoder.Settings s, int[] prompt) {
    try (way) {
      return new Generator(way, whole.tokenizer(), List.of(), whole.config().decoder().vocab())
          .run(prompt, s.options(), t -> {});
    }
  }

  /** The hash of the model. */
  String sha256() {
    return whole.statesSha256();
  }

  @Override
  public void close() {
    server.close();
    Stream.of(whole, edge, cloud).forEach(LanguageModel::close);
    arena.close();
    device.close();
    cloudDevice.close();
  }
}
