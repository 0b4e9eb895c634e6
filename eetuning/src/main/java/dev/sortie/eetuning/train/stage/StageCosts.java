package dev.sortie.eetuning.train.stage;

import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.TokenWork;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.model.DecoderConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.DoubleStream;

/**
 * What the parts of a model cost a stage for a micro-batch: seconds that were measured, or
 * multiplications that were counted. By it layers are shared out among stages.
 *
 * @param measured whether they are seconds
 * @param forward a layer forward
 * @param backward a layer backward; 0 where layers are frozen
 * @param begin the embedding, both ways, where it is trained
 * @param end final norm and head, both ways, where they are trained
 * @param exits by depth, both ways
 * @param teachers by depth, of exits that learn from the final layer: what exits of one stage share
 */
public record StageCosts(
    boolean measured,
    double forward,
    double backward,
    double begin,
    double end,
    NavigableMap<Integer, Double> exits,
    NavigableMap<Integer, Double> teachers) {
  private static final double LONGEST = 1e6;

  /**
   * Counted from shapes, for tuning.
   *
   * @param unroll tokens that a lookahead exit looks ahead
   * @param taught whether exits learn from the final layer
   */
  public static StageCosts counted(
      DecoderConfig config, List<ExitOutline> outlines, int length, int unroll, boolean taught) {
    TreeMap<Integer, Double> exits = new TreeMap<>();
    TreeMap<Integer, Double> teachers = new TreeMap<>();
    for (ExitOutline e : outlines) {
      exits.merge(e.depth(), exit(e, config, length, unroll), Double::sum);
      if (taught) {
        teachers.merge(e.depth(), (double) e.headWeights(config), Math::max);
      }
    }
    return new StageCosts(
        false, TokenWork.ofLayer(config).forward(length), 0, 0, 0, exits, teachers);
  }

  /**
   * An exit on a frozen backbone, both ways. A product costs as much again for the gradient of its
   * weight and as much for that of its input, where there is one to compute.
   *
   * @param unroll tokens that a lookahead exit looks ahead
   */
  public static double exit(ExitOutline e, DecoderConfig config, int length, int unroll) {
    TokenWork work = TokenWork.of(e, config);
    double head = (double) e.headWeights(config) * (e.ownHead() ? 3 : 2);
    double once = head + 3 * work.forward(length) - work.frozen();
    return (e.isLookahead() ? unroll : 1) * once;
  }

  /** Counted from shapes, for training from scratch; losses belong to the backward pass. */
  public static StageCosts counted(DecoderConfig config, List<ExitSpec> specs, int length) {
    double layer = TokenWork.ofLayer(config).forward(length);
    double head = 3.0 * config.vocab() * config.hidden();
    TreeMap<Integer, Double> exits = new TreeMap<>();
    for (ExitSpec e : specs) {
      exits.put(e.depth(), 3 * TokenWork.of(e.architecture(), config).forward(length) + head);
    }
    return new StageCosts(false, layer, 2 * layer, 0, head, exits, new TreeMap<>());
  }

  /** From {@link #numbers}. */
  static StageCosts of(double[] numbers) {
    int exits = (int) numbers[4];
    return new StageCosts(
        true,
        numbers[0],
        numbers[1],
        numbers[2],
        numbers[3],
        table(numbers, 5, 5 + 2 * exits),
        table(numbers, 5 + 2 * exits, numbers.length));
  }

  private static NavigableMap<Integer, Double> table(double[] numbers, int from, int to) {
    TreeMap<Integer, Double> table = new TreeMap<>();
    for (int i = from; i < to; i += 2) {
      table.put((int) numbers[i], numbers[i + 1]);
    }
    return table;
  }

  /** All of it as numbers, so that ranks can tell each other: as many for the same exits. */
  double[] numbers() {
    DoubleStream head = DoubleStream.of(forward, backward, begin, end, exits.size());
    return DoubleStream.concat(head, DoubleStream.concat(pairs(exits), pairs(teachers))).toArray();
  }

  private static DoubleStream pairs(NavigableMap<Integer, Double> table) {
    return table.entrySet().stream()
        .flatMapToDouble(e -> DoubleStream.of(e.getKey(), e.getValue()));
  }

  /** From what {@link #describe} says. */
  static StageCosts read(JsonObject o) {
    return new StageCosts(
        true,
        number(o, "layer_forward"),
        number(o, "layer_backward"),
        number(o, "embedding"),
        number(o, "head"),
        table(o.getObject("exits")),
        table(o.getObject("teachers")));
  }

  private static double number(JsonObject o, String name) {
    return o.getDouble(name, 0, LONGEST);
  }

  private static NavigableMap<Integer, Double> table(JsonObject o) {
    TreeMap<Integer, Double> table = new TreeMap<>();
    for (String depth : o.fields().keySet()) {
      if (!depth.matches("[1-9]\\d{0,5}")) {
        throw o.error(depth, "the depth of an exit");
      }
      table.put(Integer.parseInt(depth), number(o, depth));
    }
    return table;
  }

  /** One line. */
  public String line() {
    if (!measured) {
      return "stages by counted work";
    }
    StringBuilder line = new StringBuilder("stages by measured times, ms a micro-batch: layer ");
    line.append(millis(forward));
    if (backward > 0) {
      line.append(" and back ").append(millis(backward));
      line.append(", embedding ").append(millis(begin)).append(", head ").append(millis(end));
    }
    exits.forEach(
        (depth, cost) ->
            line.append(", exit ")
                .append(depth)
                .append(' ')
                .append(millis(cost + teachers.getOrDefault(depth, 0.0))));
    return line.toString();
  }

  private static String millis(double seconds) {
    return String.format(Locale.ROOT, "%.1f", 1e3 * seconds);
  }

  /** By name, for a file. */
  Map<String, Object> describe() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("layer_forward", forward);
    m.put("layer_backward", backward);
    m.put("embedding", begin);
    m.put("head", end);
    m.put("exits", named(exits));
    m.put("teachers", named(teachers));
    return m;
  }

  private static Map<String, Object> named(NavigableMap<Integer, Double> table) {
    Map<String, Object> m = new LinkedHashMap<>();
    table.forEach((depth, cost) -> m.put(String.valueOf(depth), cost));
    return m;
  }

  /** Layers {@code from} to {@code to - 1}, forward. */
  public double forward(int from, int to) {
    return (to - from) * forward;
  }

  /**
   * What else a stage with these layers does: their backward pass, its exits, and the ends of the
   * model where it has them.
   *
   * @param layers of the model
   */
  public double rest(int from, int to, int layers) {
    double shared =
        teachers.subMap(from + 1, to + 1).values().stream().mapToDouble(x -> x).max().orElse(0);
    return (to - from) * backward
        + (from == 0 ? begin : 0)
        + (to == layers ? end : 0)
        + sum(exits.subMap(from + 1, to + 1))
        + shared;
  }

  private static double sum(Map<Integer, Double> some) {
    return some.values().stream().mapToDouble(Double::doubleValue).sum();
  }
}
