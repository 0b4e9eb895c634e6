package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.stage.Stage;
import dev.sortie.eetuning.train.stage.StageCosts;
import dev.sortie.eetuning.train.stage.StagePartitioning;
import dev.sortie.eetuning.train.stage.StageSplit;
import dev.sortie.eetuning.train.stage.StageWorkload;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.StageTensors;
import dev.sortie.parallel.pipeline.Action;
import dev.sortie.parallel.pipeline.ForwardOnly;
import dev.sortie.parallel.pipeline.Timed;
import dev.sortie.parallel.pipeline.Timeline;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which layers and exits each stage of a pipeline holds. Layers after the last exit are run only
 * where something needs the final hidden states. The cut is such that the stage with the most work,
 * layers forward and exits both ways, has the least possible, unless it is given.
 */
public final class StagePlan {
  private final DecoderConfig config;
  private final List<ExitOutline> exits;
  private final TuneOptions options;
  private final StageCosts costs;
  private final List<Stage> stages = new ArrayList<>();

  /**
   * A plan by counted work, the same on all ranks.
   *
   * @param exits all that are tuned
   * @param length tokens in a sequence
   * @throws InputException if there are more stages than layers that run
   */
  public StagePlan(
      DecoderConfig config, List<ExitOutline> exits, TuneOptions options, int length, int count) {
    this(config, exits, options, length, StageSplit.COUNTED, count);
  }

  /**
   * A plan whose cut is given, or else by counted work, the same on all ranks.
   *
   * @throws InputException if there are more stages than layers that run, or a given split does not
   *     fit
   */
  public StagePlan(
      DecoderConfig config,
      List<ExitOutline> exits,
      TuneOptions options,
      int length,
      StageSplit split,
      int count) {
    this(
        config,
        exits,
        options,
        StageCosts.counted(
            config,
            exits,
            length,
            options.lookahead().unroll(),
            options.objective() == Objective.KL),
        split,
        count);
  }

  /** As above, of the exits that the ranks begin to tune. */
  public static StagePlan counted(
      LanguageModel model, Exits start, TuneOptions options, int length, ProcessGroups groups) {
    DecoderConfig config = model.config().decoder();
    List<ExitOutline> all = ExitOutline.of(start, config.layers());
    return new StagePlan(config, all, options, length, groups.mesh().pp());
  }

  private StagePlan(
      DecoderConfig config,
      List<ExitOutline> exits,
      TuneOptions options,
      StageCosts costs,
      StageSplit split,
      int count) {
    this.config = config;
    this.exits = List.copyOf(exits);
    this.options = options;
    this.costs = costs;
    boolean kl = options.objective() == Objective.KL;
    int deepest = exits.stream().mapToInt(ExitOutline::depth).max().orElse(0);
    int layers = kl ? config.layers() : Math.min(deepest, config.layers());
    if (count > layers) {
      throw new InputException(
          "--pp %d is more than the %d layers that run, %s; take at most as many stages"
              .formatted(
                  count,
                  layers,
                  kl ? "all of them for kl" : "the deepest exit standing after layer " + deepest));
    }
    if (count > 1) {
      config.requireLayersUsedOnce("--pp " + count);
      requireFeaturesOfLast(exits, config.layers(), count);
    }
    int from = 0;
    for (int end : split.ends(layers, count, this::work)) {
      stages.add(new Stage(stages.size(), count, from, end, kl && count > 1));
      from = end;
    }
  }

  /** A lookahead exit stands on the last stage, and reads what the other stages do not pass on. */
  private static void requireFeaturesOfLast(List<ExitOutline> exits, int layers, int count) {
    for (ExitOutline e : exits) {
      if (e.isLookahead() && !e.features().equals(List.of(layers))) {
        throw new InputException(
            "--pp %d with a lookahead exit that reads the hidden states of layers %s, which are on several stages; take --pp 1, with --dp or --tp"
                .formatted(count, e.features()));
      }
    }
  }

  /** All exits that are tuned. */
  public List<ExitOutline> exits() {
    return exits;
  }

  /**
   * The plan of a run, the same on all ranks. A collective call.
   *
   * @param exits all that are tuned
   * @param length tokens in a sequence
   * @throws InputException if there are more stages than layers that run, or a given split does not
   *     fit
   */
  public static StagePlan of(
      DecoderConfig config,
      List<ExitOutline> exits,
      TuneOptions options,
      int length,
      StagePartitioning partitioning) {
    int count = partitioning.groups().mesh().pp();
    StageCosts counted = new StagePlan(config, exits, options, length, count).costs;
    Map<String, Object> trained = new LinkedHashMap<>();
    trained.put("exits", exits.stream().map(ExitOutline::toString).toList());
    trained.put("objective", options.objective().word());
    int rounds = partitioning.rounds(options.microBatches());
    StageWorkload work = new StageWorkload(config, trained, options.microBatch(), rounds, length);
    TuningProfiler meter =
        new TuningProfiler(config, options, length, rounds, partitioning.device());
    StageCosts costs = partitioning.costs(count, work, counted, () -> meter.measure(exits));
    return new StagePlan(config, exits, options, costs, partitioning.split(), count);
  }

  /** Work of a stage with the layers {@code from} to {@code to - 1}. */
  private double work(int from, int to) {
    return costs.forward(from, to) + costs.rest(from, to, config.layers());
  }

  /** A stage. */
  Stage stage(int index) {
    return stages.get(index);
  }

  /** Work of each stage, forward. */
  double[] forwardWork() {
    return stages.stream().mapToDouble(s -> costs.forward(s.from(), s.to())).toArray();
  }

  /** Work of each stage's exits. */
  double[] trainWork() {
    return stages.stream()
        .mapToDouble(s -> costs.rest(s.from(), s.to(), config.layers()))
        .toArray();
  }

  /** The exits of a stage. */
  List<ExitOutline> exits(int stage) {
    return exits.stream().filter(e -> stages.get(stage).holds(e.depth())).toList();
  }

  /** Depths at which a stage's exits read hidden states of its own. */
  Set<Integer> depths(int stage) {
    Set<Integer> depths = new TreeSet<>();
    exits(stage).forEach(e -> depths.add(e.depth()));
    if (stages.get(stage).isLast() && options.objective() == Objective.KL) {
      depths.add(config.layers());
    }
    return depths;
  }

  /** Stages before the last whose exits need the final hidden states. */
  Set<Integer> teachers() {
    Set<Integer> to = new TreeSet<>();
    for (Stage s : stages) {
      if (s.returns() && !s.isLast() && !exits(s.index()).isEmpty()) {
        to.add(s.index());
      }
    }
    return to;
  }

  /** Whether a stage computes with a tensor of the backbone, by the decoder's name for it. */
  public boolean needs(int stage, String tensor) {
    Stage s = stages.get(stage);
    boolean lookahead = exits(stage).stream().anyMatch(ExitOutline::isLookahead);
    boolean embeds = stage == 0 || lookahead;
    boolean head = readsHead(stage);
    return new StageTensors(s.from(), s.to(), embeds, head, head, config.tiedHead()).test(tensor);
  }

  /** For the teacher, for exits without a head of their own, and to begin a draft head. */
  private boolean readsHead(int stage) {
    boolean kl = options.objective() == Objective.KL;
    return exits(stage).stream()
        .anyMatch(e -> kl || e.isLookahead() || !e.ownHead() || e.draftTokens() > 0);
  }

  /**
   * The timeline of a number of steps from an empty pipeline, by the work that it was cut by.
   *
   * @param rounds micro-batches of a step
   * @param seconds that it shall take in all
   */
  public List<Timed> timeline(int steps, int rounds, double seconds) {
    List<List<Action>> actions = new ArrayList<>();
    for (Stage s : stages) {
      ForwardOnly schedule =
          new ForwardOnly(s.index(), s.count(), s.returns() ? 1 : 0, (long) steps * rounds);
      actions.add(schedule.step(0, 0, steps * rounds));
    }
    List<Timed> plan =
        Timeline.of(actions, forwardWork(), trainWork(), stages.getFirst().returns());
    double scale = seconds / plan.stream().mapToDouble(Timed::end).max().orElse(1);
    return plan.stream()
        .map(t -> new Timed(t.stage(), t.action(), t.start() * scale, t.end() * scale))
        .toList();
  }

  /** By what it was cut, and one line for each stage. */
  public List<String> describe() {
    List<String> lines = new ArrayList<>(List.of(costs.line()));
    double[] forward = forwardWork();
    double[] train = trainWork();
    double all = 0;
    for (int i = 0; i < forward.length; i++) {
      all += forward[i] + train[i];
    }
    for (Stage s : stages) {
      Set<Integer> depths = new HashSet<>();
      exits(s.index()).forEach(e -> depths.add(e.depth()));
      lines.add(
          "stage %d: layers %d to %d, exits %s, %.0f %% of the work"
              .formatted(
                  s.index(),
                  s.from() + 1,
                  s.to(),
                  depths.isEmpty() ? "none" : new TreeSet<>(depths),
                  100 * (forward[s.index()] + train[s.index()]) / all));
    }
    return lines;
  }
}
