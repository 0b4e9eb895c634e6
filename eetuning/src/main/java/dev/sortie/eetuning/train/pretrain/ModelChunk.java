package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.train.TokenLoss;
import dev.sortie.eetuning.train.rank.GradientAccumulator;
import dev.sortie.eetuning.train.stage.InFlightMicrobatch;
import dev.sortie.eetuning.train.stage.Stage;
import dev.sortie.nn.Dropout;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Backward.Seed;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A model chunk of the pipeline in full training: some layers, their exits, and the ends of the
 * model that belong to them.
 *
 * <p>The graph is cut after the embedding and after every layer, but not between layers that share
 * weights, whose gradients add up within one part. Each cut-off part has a backward pass of its
 * own, which begins with the gradient from the part after it and the losses of the exits that stand
 * there. So the order of all sums is the same wherever a layout cuts the chain, one rank included
 * (EE-LLM's auxiliary loss, arXiv 2312.04916, in which {@code ⟨g, x⟩} stands for the layers after).
 * It is also why gradients of a layer can be exchanged while those of the layer before are
 * computed.
 */
final class ModelChunk {
  private final PretrainModel model;
  private final Decoder decoder;
  private final SharedHead head;
  private final Stage stage;
  private final Dropout dropout;
  private final List<Tensor> embeddingParameters;
  private final List<Part> parts = new ArrayList<>();
  private final List<Tensor> headParameters = new ArrayList<>();

  /** Layers {@code from .. to - 1}, which are one part of the graph. */
  private record Part(int from, int to, List<Tensor> parameters) {}

  /** A part in the graph: what it reads, and each layer's residual after attention and output. */
  private record Link(Tensor in, List<Tensor> residuals, List<Tensor> outputs) {
    Tensor out() {
      return outputs.getLast();
    }
  }

  /**
   * A micro-batch on its way through the chunk.
   *
   * @param begin what the first layer reads: the embedding, or what another chunk sent
   */
  record Trail(InFlightMicrobatch inFlight, Tensor begin, List<Link> links) {
    /** What the last layer has left. */
    Tensor out() {
      return links.getLast().out();
    }
  }

  /**
   * What is minimised.
   *
   * @param count targets over which losses are means
   * @param weight of the loss at a depth; the number of layers is the final one
   * @param report takes the loss at a depth
   */
  record Aim(double count, Weight weight, Report report) {
    /** By depth. */
    @FunctionalInterface
    interface Weight {
      double at(int depth);
    }

    /** By depth. */
    @FunctionalInterface
    interface Report {
      void loss(int depth, double loss);
    }
  }

  /**
   * @param dropout of the whole run
   */
  ModelChunk(PretrainModel model, SharedHead head, Stage stage, Dropout dropout) {
    this.model = model;
    this.decoder = model.decoder();
    this.head = head;
    this.stage = stage;
    this.dropout = dropout;
    this.embeddingParameters = named("model.embed_");
    int end;
    for (int i = stage.from(); i < stage.to(); i = end) {
      end = Math.min(behind(i), stage.to());
      parts.add(new Part(i, end, ofLayers(i, end)));
    }
    if (stage.isLast()) {
      headParameters.addAll(named("model.norm."));
      headParameters.add(head.at(stage.to()));
    }
  }

  /** Behind the part of the graph that begins with layer {@code i}. */
  private int behind(int i) {
    DecoderConfig c = decoder.config();
    boolean again = c.switches().cycle().times() > 1;
    return again && c.switches().cycle().inBlock(i, c.layers()) ? c.layers() - 1 : i + 1;
  }

  /** Whether it begins with the embedding. */
  boolean isFirst() {
    return stage.from() == 0;
  }

  /** Whether it ends with the final head. */
  boolean isLast() {
    return stage.isLast();
  }

  /** The parameters of each part of the graph, in the order of backward passes. */
  List<List<Tensor>> groups() {
    List<List<Tensor>> groups = new ArrayList<>();
    if (stage.isLast()) {
      groups.add(headParameters);
    }
    parts.reversed().forEach(p -> groups.add(p.parameters));
    if (stage.from() == 0) {
      groups.add(embeddingParameters);
    }
    return groups;
  }

  /**
   * The shape of what chunks send each other of so many windows, {@code [B, T, C]} or rows of it.
   */
  Shape message(int windows, int length) {
    return decoder.sharding().residual(Shape.of(windows, length, decoder.config().hidden()));
  }

  private List<Tensor> named(String prefix) {
    return decoder.parameters().entrySet().stream()
        .filter(p -> p.getKey().startsWith(prefix))
        .map(Map.Entry::getValue)
        .toList();
  }

  private List<Tensor> ofLayers(int from, int to) {
    List<Tensor> all = new ArrayList<>();
    IntStream.range(from, to)
        .map(decoder.config()::storedLayer)
        .distinct()
        .forEach(i -> all.addAll(named("model.layers." + i + ".")));
    for (Exit e : exits(from, to)) {
      all.addAll(e.parameters().values());
      if (head.isRead(e.depth())) {
        all.add(head.at(e.depth()));
      }
    }
    return all;
  }

  /** Those after layers {@code from .. to - 1}, shallow first. */
  private List<Exit> exits(int from, int to) {
    return model.exits().stream().filter(e -> e.depth() > from && e.depth() <= to).toList();
  }

  private Optional<Exit> exit(int depth) {
    return model.exits().stream().filter(e -> e.depth() == depth).findFirst();
  }

  /**
   * Runs the layers and keeps what their backward pass needs.
   *
   * @param flight begun with the micro-batch
   * @param in what another chunk sent, {@code [B, T, C]}; empty at the first chunk
   */
  Trail forward(InFlightMicrobatch inFlight, Optional<Tensor> in) {
    Ops ops = inFlight.ops();
    Dropout here = dropout.from(firstRow(inFlight));
    Tensor begin = in.orElseGet(() -> here.at("embedding").apply(ops, embed(inFlight)));
    List<Link> links = new ArrayList<>();
    Tensor x = begin;
    for (Part part : parts) {
      Tensor leaf = x.asParameter();
      Link link = new Link(leaf, new ArrayList<>(), new ArrayList<>());
      Decoder.Tap tap =
          (_, a, y) -> {
            link.residuals.add(a);
            link.outputs.add(y);
          };
      x = decoder.advance(ops, leaf, part.from, part.to, tap, here);
      links.add(link);
    }
    return new Trail(inFlight, begin, links);
  }

  /** The number, among all of the run, of the first row of a micro-batch that this rank has. */
  private long firstRow(InFlightMicrobatch inFlight) {
    Shape ids = inFlight.tensors().inputs().shape();
    Shape whole = Shape.of(ids.dim(0), ids.dim(1), decoder.config().hidden());
    return inFlight.batch().first() * ids.dim(1) + decoder.sharding().firstRow(whole);
  }

  private Tensor embed(InFlightMicrobatch inFlight) {
    Ops ops = inFlight.ops();
    return decoder.sharding().begin(ops, decoder.embed(ops, inFlight.tensors().inputs(), 0));
  }

  /**
   * Adds the gradients of a micro-batch to those of its step.
   *
   * @param round number of the micro-batch in the step
   * @param behind gradient of {@link Trail#out}, empty at the last chunk; may be overwritten
   * @return the gradient of what another chunk sent, in the memory of the micro-batch in inFlight;
   *     empty at the first chunk
   */
  Optional<Tensor> backward(
      Trail trail, int round, Optional<Tensor> behind, Aim aim, GradientAccumulator sums) {
    Ops ops = trail.inFlight.ops();
    Workspace workspace = ops.workspace();
    Tensor[] turns = { // for gradients from here on, by turns
      ops.empty(trail.begin.dtype(), trail.begin.shape()),
      ops.empty(trail.begin.dtype(), trail.begin.shape())
    };
    int turn = 0;
    Tensor dx = behind.orElse(null);
    if (dx == null) {
      Tensor leaf = trail.out().asParameter();
      dx = turns[turn++ % 2];
      try (var _ = workspace.mark()) {
        Seed seed = seed(finalLoss(trail.inFlight, leaf, aim), stage.to(), aim, workspace);
        sums.add(round, List.of(seed), headParameters, Map.of(leaf, dx), workspace);
      }
    }
    for (int i = parts.size() - 1; i >= 0; i--) {
      Part part = parts.get(i);
      Link link = trail.links.get(i);
      Tensor to = turns[turn++ % 2];
      try (var _ = workspace.mark()) {
        List<Seed> seeds = new ArrayList<>();
        for (Exit e : exits(part.from, part.to)) {
          int layer = e.depth() - 1 - part.from;
          Tensor loss =
              exitLoss(trail.inFlight, e, link.outputs.get(layer), link.residuals.get(layer), aim);
          seeds.add(seed(loss, e.depth(), aim, workspace));
        }
        seeds.add(new Seed(link.out(), dx));
        sums.add(round, seeds, part.parameters, Map.of(link.in, to), workspace);
      }
      dx = to;
    }
    if (stage.from() > 0) {
      return Optional.of(dx);
    }
    try (var _ = workspace.mark()) {
      List<Seed> seeds = List.of(new Seed(trail.begin, dx));
      sums.add(round, seeds, embeddingParameters, Map.of(), workspace);
    }
    return Optional.empty();
  }

  private static Seed seed(Tensor loss, int depth, Aim aim, Workspace workspace) {
    return Seed.of(workspace, loss, aim.weight.at(depth));
  }

  private Tensor finalLoss(InFlightMicrobatch inFlight, Tensor x, Aim aim) {
    HeadInput in = decoder.headInput(inFlight.ops(), x);
    return loss(inFlight, new HeadInput(in.x(), head.at(stage.to())), stage.to(), aim);
  }

  private Tensor exitLoss(InFlightMicrobatch inFlight, Exit e, Tensor x, Tensor a, Aim aim) {
    HeadInput in = e.headInput(inFlight.ops(), x, a);
    boolean shared = head.isRead(e.depth());
    return loss(inFlight, shared ? new HeadInput(in.x(), head.at(e.depth())) : in, e.depth(), aim);
  }

  private Tensor loss(InFlightMicrobatch inFlight, HeadInput in, int depth, Aim aim) {
    Tensor loss =
        TokenLoss.crossEntropy(
            inFlight.ops(), decoder.sharding(), in, inFlight.tensors().targets(), false, aim.count);
    aim.report.loss(depth, loss.item());
    return loss;
  }

  /**
   * Runs the layers and reports the losses, where nothing is recorded.
   *
   * @return what the last layer has left, in the memory of the flight
   */
  Tensor evaluate(InFlightMicrobatch inFlight, Optional<Tensor> in, Aim aim) {
    Ops ops = inFlight.ops();
    Decoder.Tap tap =
        new Decoder.Tap() {
          @Override
          public void see(int depth, Tensor a, Tensor x) {
            exit(depth)
                .ifPresent(
                    e -> {
                      try (var _ = ops.workspace().mark()) {
                        exitLoss(inFlight, e, x, a, aim);
                      }
                    });
          }

          @Override
          public boolean keeps(int depth) {
            return depth == stage.to();
          }
        };
    Tensor begin = in.orElseGet(() -> embed(inFlight));
    Tensor out = decoder.advance(ops, begin, stage.from(), stage.to(), tap);
    if (stage.isLast()) {
      try (var _ = ops.workspace().mark()) {
        finalLoss(inFlight, out, aim);
      }
    }
    return out;
  }
}
