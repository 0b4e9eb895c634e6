package dev.sortie.benchmarks.paper;

import static dev.sortie.benchmarks.paper.Script.loop;
import static dev.sortie.benchmarks.paper.Script.step;

import java.util.List;
import java.util.stream.Stream;

/**
 * The experiments in the order in which they are run, each a script whose commands others may build
 * on. All begin with seed 1, the commands' default. Paths begin with {@code paper/}, the folder of
 * the results, or {@code examples/}.
 */
public enum Experiment {
  /** Text that the model writes. */
  TEXT(
      step(
          "sample",
          "sample --model fable --prompts examples/tales.json --tokens 300000 --test 0.05"
              + " --validation 0 --out paper/tales")),

  /** Every architecture at every depth, over tokens. */
  ARCHITECTURE(
      loop(
          "arch",
          Names.ARCHITECTURES,
          step("start-$arch", Names.ADD + "--arch $arch --out paper/start/$arch"),
          step("score-$arch-0", Names.SCORE + "--exits paper/start/$arch"),
          loop(
              "steps",
              Names.STEPS,
              step(
                  "tune-$arch-$steps",
                  Names.TUNE
                      + "--exits paper/start/$arch --steps $steps"
                      + " --step-log paper/$arch-$steps.steps.jsonl"
                      + " --out paper/tuned/$arch-$steps"),
              step("score-$arch-$steps", Names.SCORE + "--exits paper/tuned/$arch-$steps")))),

  /** Exits that begin with random weights. */
  INITIALISATION(
      loop(
          "arch",
          Names.ARCHITECTURES,
          step(
              "start-$arch-random",
              Names.ADD + "--arch $arch --init random --out paper/start/$arch-random"),
          step(
              "tune-$arch-random",
              Names.TUNE
                  + "--exits paper/start/$arch-random --steps 256"
                  + " --step-log paper/$arch-random.steps.jsonl --out paper/tuned/$arch-random"),
          step("score-$arch-random", Names.SCORE + "--exits paper/tuned/$arch-random"))),

  /** What exits are tuned to, and how tokens are weighted. */
  OBJECTIVE(
      loop(
          "objective",
          "ce kl",
          loop(
              "weights",
              "equal confidence",
              step(
                  "tune-mlp-$objective-$weights",
                  Names.TUNE
                      + "--exits paper/start/mlp --steps 256"
                      + " --objective $objective --token-weights $weights"
                      + " --out paper/tuned/mlp-$objective-$weights"),
              step(
                  "score-mlp-$objective-$weights",
                  Names.SCORE + "--exits paper/tuned/mlp-$objective-$weights")))),

  /** The backbone's head, frozen, in place of heads of their own. */
  HEAD(
      step("start-mlp-tied", Names.ADD + "--arch mlp --head backbone --out paper/start/mlp-tied"),
      step(
          "tune-mlp-tied",
          Names.TUNE + "--exits paper/start/mlp-tied --steps 256 --out paper/tuned/mlp-tied"),
      step("score-mlp-tied", Names.SCORE + "--exits paper/tuned/mlp-tied")),

  /** Several ranks. */
  RANKS(
      step("ranks-one", Names.SHORT + "--out paper/ranks/one"),
      step(
          "ranks-dp2",
          "launch --nproc 2 -- ./sortie " + Names.SHORT + "--dp 2 --out paper/ranks/dp2"),
      step(
          "ranks-pp2",
          "launch --nproc 2 -- ./sortie "
              + Names.SHORT
              + "--pp 2 --stage-split counted --out paper/ranks/pp2"),
      step(
          "ranks-dp2-pp2",
          "launch --nproc 4 -- ./sortie "
              + Names.SHORT
              + "--dp 2 --pp 2 --stage-split counted --out paper/ranks/dp2-pp2"),
      step(
          "ranks-tp2",
          "launch --nproc 2 -- ./sortie " + Names.SHORT + "--tp 2 --out paper/ranks/tp2")),

  /** Memory as it is planned. */
  MEMORY(
      step("memory-full", Names.PRETRAIN + "--out paper/cost/full --dry-run"),
      step("memory-joint", Names.PRETRAIN + Names.JOINT + "--out paper/cost/joint --dry-run"),
      loop(
          "arch",
          Names.ARCHITECTURES,
          step(
              "memory-$arch",
              Names.TUNE + "--exits paper/start/$arch --out paper/cost/$arch --dry-run"))),

  /** Agreement and depth by threshold. */
  THRESHOLDS(
      step(
          "thresholds",
          Names.EVAL + "--threshold 0.9,0.7,0.5,0.3 --rounds 1 --out paper/thresholds")),

  /** Training speed. */
  COST(
      step("cost-full", Names.PRETRAIN + "--steps 100 --out paper/cost/full"),
      step("cost-joint", Names.PRETRAIN + Names.JOINT + "--steps 100 --out paper/cost/joint"),
      loop(
          "arch",
          Names.ARCHITECTURES,
          step(
              "cost-$arch",
              Names.TUNE + "--exits paper/start/$arch --steps 100 --out paper/cost/$arch"))),

  /** Decoding speed, next to full depth. */
  SPEED(step("speed", Names.EVAL + "--threshold 0.5,0.3 --rounds 2 --out paper/speed"));

  private final List<Script> script;

  Experiment(Script... script) {
    this.script = List.of(script);
  }

  /** The commands in their order. */
  public Stream<Run> runs() {
    return script.stream().flatMap(Script::runs);
  }

  /** The commands as a shell reads them. */
  String shell() {
    StringBuilder text = new StringBuilder();
    script.forEach(s -> text.append(s.shell("")));
    return text.toString();
  }

  /** Whether the speed of its runs is a figure, so that nothing else may run meanwhile. */
  public boolean isMeasured() {
    return this == COST || this == SPEED;
  }

  /** Parts of commands. */
  private static final class Names {
    static final String ARCHITECTURES = "embedding norm mlp layer";
    static final String STEPS = "64 256";
    static final String ADD = "add-exits --model fable --at 2,4,6,8,10 ";
    static final String SCORE = "score --model fable --file paper/tales/test.jsonl ";
    static final String SIZES = "--data paper/tales/train.jsonl --seq-len 128 --held-out 0 ";
    static final String TUNE = "tune --model fable " + SIZES + "--micro-batch 4 --gate-tokens 0 ";
    static final String SHORT =
        "tune --model fable "
            + SIZES
            + "--micro-batch 2 --global-batch 8 --gate-tokens 0 --exits paper/start/mlp --steps 10 ";
    static final String PRETRAIN =
        "pretrain "
            + SIZES
            + "--micro-batch 4 --layers 12 --hidden 256 --heads 8 --kv-heads 2 --ffn 512 --vocab 2048 ";
    static final String EVAL =
        "eval --model fable --exits paper/tuned/layer-256 --active all --each-exit"
            + " --strategy early-exit --tasks examples/openings.jsonl --tokens 64 ";
    static final String JOINT = "--exits-at 2,4,6,8,10 --arch mlp --head own ";
  }
}
