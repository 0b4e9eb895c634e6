package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.train.TokenLoss;
import dev.sortie.eetuning.train.rank.GradientAccumulator;
import dev.sortie.eetuning.train.stage.InFlightMicrobatch;
import dev.sortie.eetuning.train.stage.Stage;
import dev.sortie.nn.Dropout;
import dev.sortie.nn.model.Decoder;
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

/**
 * A model chunk of the pipeline in full training: some layers, their exits, and the ends of the
 * model that belong to them.
 *
 * <p>The graph is cut behind the embedding and behind every layer, and each cut-off part has a
 * backward pass of its own, which begins with the gradient from the part behind it and the losses
 * of the exit that stands there. So the order of all sums is the same wherever a layout cuts the
 * chain, one rank included (EE-LLM's auxiliary loss, arXiv 2312.04916, in which {@code ⟨g, x⟩}
 * stands for the layers behind). It is also why gradients of a layer can be exchanged while those
 * of the layer before are computed.
 */
final class ModelChunk {
  private final PretrainModel model;
  private final Decoder decoder;
  private final SharedHead head;
  private final Stage stage;
  private final Dropout dropout;
  private final List<Tensor> embeddingParameters;
  private final List<List<Tensor>> layerParameters = new ArrayList<>();
  private final List<Tensor> headParameters = new ArrayList<>();

  /** A layer in the graph: what it reads, the residual after its attention, and its output. */
  private record Link(Tensor in, Tensor a, Tensor out) {}

  /**
   * A micro-batch on its way through the chunk.
   *
   * @param begin what the first layer reads: the embedding, or what another chunk sent
   */
  record Trail(InFlightMicrobatch inFlight, Tensor begin, List<Link> links) {
    /** What the last layer has left. */
    Tensor out() {
      return links.getLast().out;
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
    for (int i = stage.from(); i < stage.to(); i++) {
      layerParameters.add(ofLayer(i));
    }
    if (stage.isLast()) {
      headParameters.addAll(named("model.norm."));
      headParameters.add(head.at(stage.to()));
    }
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
    groups.addAll(layerParameters.reversed());
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

  private List<Tensor> ofLayer(int i) {
    List<Tensor> all = new ArrayList<>(named("model.layers." + i + "."));
    exit(i + 1)
        .ifPresent(
            e -> {
              all.addAll(e.parameters().values());
              if (head.isRead(e.depth())) {
                all.add(head.at(e.depth()));
              }
            });
    return all;
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
    for (int i = stage.from(); i < stage.to(); i++) {
      Tensor leaf = x.asParameter();
      List<Tensor> residual = new ArrayList<>();
      x = decoder.advance(ops, leaf, i, i + 1, (_, a, _) -> residual.add(a), here);
      links.add(new Link(leaf, residual.getFirst(), x));
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
    for (int i = stage.to() - 1; i >= stage.from(); i--) {
      Link link = trail.links.get(i - stage.from());
      Tensor to = turns[turn++ % 2];
      try (var _ = workspace.mark()) {
        List<Seed> seeds = new ArrayList<>();
        exit(i + 1)
            .ifPresent(
                e -> {
                  Tensor loss = exitLoss(trail.inFlight, e, link.out, link.a, aim);
                  seeds.add(seed(loss, e.depth(), aim, workspace));
                });
        seeds.add(new Seed(link.out, dx));
        List<Tensor> parameters = layerParameters.get(i - stage.from());
        sums.add(round, seeds, parameters, Map.of(link.in, to), workspace);
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
