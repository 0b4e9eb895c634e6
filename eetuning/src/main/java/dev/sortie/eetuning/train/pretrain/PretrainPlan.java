package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.train.stage.Stage;
import dev.sortie.eetuning.train.stage.StageCosts;
import dev.sortie.eetuning.train.stage.StagePartitioning;
import dev.sortie.eetuning.train.stage.StageSplit;
import dev.sortie.eetuning.train.stage.StageWorkload;
import dev.sortie.nn.InputException;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.StageTensors;
import dev.sortie.parallel.pipeline.Action;
import dev.sortie.parallel.pipeline.Chain;
import dev.sortie.parallel.pipeline.ComputationType;
import dev.sortie.parallel.pipeline.Timed;
import dev.sortie.parallel.pipeline.Timeline;
import dev.sortie.parallel.pipeline.TrainingSchedule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which layers, exits and ends of a model each chunk of a chain holds in full training: such that
 * the chunk with the most work has the least possible, unless the cut is given. The embedding is on
 * the first chunk, final norm and head on the last.
 */
public final class PretrainPlan {
  private static final Pattern EXIT = Pattern.compile("exits\\.(\\d+)\\..*");

  private final DecoderConfig config;
  private final List<ExitSpec> exits;
  private final Chain chain;
  private final StageCosts costs;
  private final List<Stage> chunks = new ArrayList<>();

  /**
   * A plan by counted work, the same on all ranks.
   *
   * @param length tokens in a sequence
   * @throws InputException if there are more chunks than layers
   */
  public PretrainPlan(DecoderConfig config, List<ExitSpec> exits, int length, Chain chain) {
    this(config, exits, length, chain, StageSplit.COUNTED);
  }

  /**
   * A plan whose cut is given, or else by counted work, the same on all ranks.
   *
   * @throws InputException if there are more chunks than layers, or a given split does not fit
   */
  public PretrainPlan(
      DecoderConfig config, List<ExitSpec> exits, int length, Chain chain, StageSplit split) {
    this(config, exits, chain, StageCosts.counted(config, exits, length), split);
  }

  private PretrainPlan(
      DecoderConfig config, List<ExitSpec> exits, Chain chain, StageCosts costs, StageSplit split) {
    this.config = config;
    this.exits = List.copyOf(exits);
    this.chain = chain;
    this.costs = costs;
    if (chain.length() > 1) {
      config.requireLayersUsedOnce("--pp " + chain.stages());
    }
    if (chain.length() > config.layers()) {
      throw new InputException(
          "--pp %d%s is more than the %d layers; take fewer, each chunk of the model needs a layer"
              .formatted(
                  chain.stages(),
                  chain.chunks() > 1 ? " times --chunks " + chain.chunks() : "",
                  config.layers()));
    }
    int from = 0;
    for (int end : split.ends(config.layers(), chain.length(), this::work)) {
      chunks.add(new Stage(chunks.size(), chain.length(), from, end, false));
      from = end;
    }
  }

  /**
   * The plan of a run, the same on all ranks. A collective call.
   *
   * @param length tokens in a sequence
   * @throws InputException if there are more chunks than layers, or a given split does not fit
   */
  public static PretrainPlan of(
      DecoderConfig config,
      PretrainOptions options,
      int length,
      Chain chain,
      StagePartitioning partitioning) {
    List<ExitSpec> exits = options.exits().specs();
    StageCosts counted = new PretrainPlan(config, exits, length, chain).costs;
    Map<String, Object> trained = Map.of("exits", exits.stream().map(ExitSpec::toString).toList());
    int rounds = partitioning.rounds(options.microBatches());
    StageWorkload work = new StageWorkload(config, trained, options.microBatch(), rounds, length);
    PretrainProfiler meter =
        new PretrainProfiler(config, options, length, rounds, partitioning.device());
    StageCosts costs = partitioning.costs(chain.length(), work, counted, meter::measure);
    return new PretrainPlan(config, exits, chain, costs, partitioning.split());
  }

  /** The chunk at a position of the chain. */
  Stage chunk(int position) {
    return chunks.get(position);
  }

  /** The stage that holds an exit. */
  int position(ExitSpec exit) {
    return chunks.stream().filter(p -> p.holds(exit.depth())).findFirst().orElseThrow().index();
  }

  private double work(int from, int to) {
    return costs.forward(from, to) + costs.rest(from, to, config.layers());
  }

  private double work(Chain.Step step) {
    Stage p = chunks.get(chain.position(step.stage(), step.action().chunk()));
    return step.action().type() == ComputationType.FORWARD
        ? costs.forward(p.from(), p.to())
        : costs.rest(p.from(), p.to(), config.layers());
  }

  /**
   * The timeline of one step by the work that it was cut by.
   *
   * @param microBatches of a replica
   * @param seconds that it shall take in all
   */
  public List<Timed> timeline(TrainingSchedule schedule, int microBatches, double seconds) {
    List<List<Action>> actions = schedule.all(chain, microBatches);
    List<Timed> plan = Timeline.of(actions, this::work, chain::needs);
    double scale = seconds / plan.stream().mapToDouble(Timed::end).max().orElse(1);
    return Timeline.of(actions, step -> work(step) * scale, chain::needs);
  }

  /** By what it was cut, and one line for each stage. */
  public List<String> describe() {
    double all = chunks.stream().mapToDouble(p -> work(p.from(), p.to())).sum();
    List<String> lines = new ArrayList<>(List.of(costs.line()));
    for (int s = 0; s < chain.stages(); s++) {
      List<String> layers = new ArrayList<>();
      List<Integer> depths = new ArrayList<>();
      double mine = 0;
      for (int c = 0; c < chain.chunks(); c++) {
        Stage p = chunks.get(chain.position(s, c));
        layers.add((p.from() + 1) + " to " + p.to());
        exits.stream().map(ExitSpec::depth).filter(p::holds).forEach(depths::add);
        mine += work(p.from(), p.to());
      }
      lines.add(
          "stage %d: layers %s%s, %.0f %% of the work"
              .formatted(
                  s,
                  String.join(" and ", layers),
                  depths.isEmpty() ? "" : ", exits " + depths,
                  100 * mine / all));
    }
    return lines;
  }

  /** Whether a chunk computes with a tensor, by its name in checkpoints. */
  boolean needs(int position, String tensor) {
    Stage p = chunks.get(position);
    Matcher exit = EXIT.matcher(tensor);
    if (exit.matches()) {
      return p.holds(Integer.parseInt(exit.group(1)));
    }
    // exits here have norms of their own, so the final one is read at the end alone
    return new StageTensors(
            p.from(), p.to(), p.from() == 0, p.isLast(), readsHead(p), config.tiedHead())
        .test(tensor);
  }

  private boolean readsHead(Stage p) {
    return p.isLast() || exits.stream().anyMatch(e -> p.holds(e.depth()) && !e.ownHead());
  }
}
