package dev.sortie.benchmarks.edge;

import dev.sortie.benchmarks.compare.DisagreementException;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.edge.CloudServer;
import dev.sortie.eetuning.decode.edge.EdgeDecoder;
import dev.sortie.eetuning.decode.edge.EdgeGeneration;
import dev.sortie.eetuning.decode.edge.EdgeToken;
import dev.sortie.eetuning.decode.edge.LinkType;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.parallel.comm.transport.tcp.LinkKeys;
import dev.sortie.parallel.comm.transport.tcp.LinkListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The same texts by an edge and a cloud, by the edge alone and by the cloud alone, over a link.
 * Edge and cloud are in one process with a device each, as two machines would be. Texts are greedy
 * and do not end early.
 */
public final class SplitModel implements AutoCloseable {
  /** Longer than any link takes: a token that the edge decided alone would be another text. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final int SECRET = 32;

  private final LanguageModel edge;
  private final Exits exits;
  private final int layers;
  private final MaxProbability policy;
  private final List<int[]> prompts;
  private final GenerateOptions options;
  private final LinkKeys keys;
  private final CloudAlone alone;
  private final LinkListener splitListener;
  private final LinkListener aloneListener;
  private final CloudServer cloud;

  /**
   * Edge and cloud, which listen on this machine.
   *
   * @param edge the model on the edge's device
   * @param exits of the first layers
   * @param layers of the edge; the last exit is after them
   * @param threshold of all exits
   * @param cloud the model on the cloud's device
   * @param prompts one for each text
   * @param tokens of each text
   */
  public SplitModel(
      LanguageModel edge,
      Exits exits,
      int layers,
      double threshold,
      LanguageModel cloud,
      List<int[]> prompts,
      int tokens) {
    this.edge = edge;
    this.exits = exits;
    this.layers = layers;
    this.policy = new MaxProbability(threshold);
    this.prompts = prompts;
    this.options = new GenerateOptions(tokens, SamplingOptions.GREEDY, List.of(), true);
    byte[] secret = new byte[SECRET];
    new SecureRandom().nextBytes(secret);
    this.keys = new LinkKeys(secret, Optional.empty());
    this.alone = new CloudAlone(cloud, options);
    this.splitListener = listen();
    this.aloneListener = listen();
    this.cloud = new CloudServer(cloud, layers, prompts.size(), splitListener, line -> {});
    Thread.ofPlatform().daemon().start(() -> alone.serve(aloneListener));
    Thread.ofPlatform().daemon().start(this::serve);
  }

  private LinkListener listen() {
    try {
      return new LinkListener(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), keys);
    } catch (IOException e) {
      throw new UncheckedIOException("no port is free", e);
    }
  }

  private void serve() {
    try {
      cloud.run();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static int port(LinkListener listener) {
    try {
      return listener.port();
    } catch (IOException e) {
      throw new UncheckedIOException("a listener has no port", e);
    }
  }

  /** By edge and cloud. */
  Written split(SimulatedLink link, LinkType type) {
    try (LinkRelay relay = new LinkRelay(port(splitListener), link)) {
      Written w = byEdge(relay.port(), type);
      w.carried(relay.up(), relay.down());
      return w;
    }
  }

  /** By the edge, with nobody where the cloud should be. */
  Written edgeAlone() {
    return byEdge(portOfNobody(), LinkType.F32);
  }

  private static int portOfNobody() {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return free.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException("no port is free", e);
    }
  }

  private Written byEdge(int port, LinkType type) {
    EdgeDecoder decoder =
        new EdgeDecoder(
            edge,
            exits,
            layers,
            new EdgeDecoder.Settings(
                "localhost", port, keys, policy, EarlyExit.MAX_PENDING, options, type, PATIENCE));
    Written w = new Written();
    for (int[] prompt : prompts) {
      w.begin();
      EdgeGeneration g = decoder.run(prompt, List.of(), (t, by) -> w.take(t.id()));
      w.end(g.roundTrips(), g.by().size() - g.count(EdgeToken.CLOUD));
    }
    return w;
  }

  /** By the cloud. */
  Written cloudAlone(SimulatedLink link) {
    Written w = new Written();
    try (LinkRelay relay = new LinkRelay(port(aloneListener), link)) {
      for (int[] prompt : prompts) {
        w.begin();
        CloudAlone.ask(relay.port(), keys, prompt, options.maxTokens(), w::take);
        w.end(1, 0);
      }
      w.carried(relay.up(), relay.down());
    }
    return w;
  }

  /** At full depth, without any link. */
  List<List<Integer>> fullDepth() {
    Written w = new Written();
    for (int[] prompt : prompts) {
      w.begin();
      alone.write(prompt, w::take);
    }
    return w.texts();
  }

  /** With the same exits and thresholds in one process. */
  List<List<Integer>> earlyExit() {
    Written w = new Written();
    for (int[] prompt : prompts) {
      w.begin();
      int room = prompt.length + options.maxTokens();
      try (EarlyExit way =
          new EarlyExit(
              edge.decoder(), exits, policy, room, EarlyExit.MAX_PENDING, edge.device())) {
        new Generator(way, edge.tokenizer(), List.of(), edge.config().decoder().vocab())
            .run(prompt, options, t -> w.take(t.id()));
      }
    }
    return w.texts();
  }

  /**
   * Compares texts.
   *
   * @param what to say if they differ
   */
  static void same(String what, List<List<Integer>> texts, List<List<Integer>> expected) {
    if (!texts.equals(expected)) {
      throw new DisagreementException(what);
    }
  }

  @Override
  public void close() {
    cloud.close();
    aloneListener.close();
  }
}
