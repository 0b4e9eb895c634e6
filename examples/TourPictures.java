// Draws micro.svg and exits.svg of the tour, from runs; tune draws the others.
//
//   ./sortie java examples/TourPictures.java examples/MicroSortie.java tour/tuned FOLDER
//
// tour/tuned is the folder of exits that step 9 makes.

import dev.sortie.eetuning.*;
import dev.sortie.eetuning.eval.ExitKeys;
import dev.sortie.eetuning.plot.*;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import javax.tools.ToolProvider;

static final List<String> PROMPTS =
    List.of("Once upon a time, there was a little girl", "One day, a curious fox", "Long ago, a king", "It was a rainy day, and");

void main(String[] arguments) throws Exception {
  Path folder = Files.createDirectories(Path.of(arguments[2]));
  micro(Path.of(arguments[0]), folder.resolve("micro.svg"));
  exits(Path.of(arguments[1]), folder.resolve("exits.svg"));
}

/** The losses of MicroSortie, by its own methods. */
void micro(Path source, Path file) throws Exception {
  Path classes = Files.createTempDirectory("micro");
  ToolProvider.getSystemJavaCompiler().run(null, null, null, "-d", classes.toString(), source.toString());
  try (var loader = new URLClassLoader(new URL[] {classes.toUri().toURL()})) {
    Class<?> micro = loader.loadClass("MicroSortie");
    List<Object> replicas = List.of(call(micro, "decoder", 1L), call(micro, "decoder", 1L));
    double[] trained = (double[]) call(micro, "train", replicas, 300, 0.01);
    Object model = replicas.getFirst();
    double[] tuned = (double[]) call(micro, "tune", model, call(micro, "exit", model), 200, 0.01);
    var series = new LinkedHashMap<String, List<LossPlot.Point>>();
    series.put("exit after layer 1", points(tuned));
    series.put("decoder", points(trained));
    LossPlot.write(file, series, "MicroSortie: training and tuning");
  }
}

Object call(Class<?> type, String name, Object... arguments) throws Exception {
  Method method = Arrays.stream(type.getDeclaredMethods())
      .filter(m -> m.getName().equals(name) && m.getParameterCount() == arguments.length)
      .findFirst()
      .orElseThrow();
  method.setAccessible(true);
  return method.invoke(null, arguments);
}

List<LossPlot.Point> points(double[] losses) {
  return LossPlot.Point.series(Arrays.stream(losses).boxed().toList());
}

/** Where tokens leave, by threshold. */
void exits(Path tuned, Path file) {
  try (var model = Sortie.load("fable")) {
    var exits = model.exits(tuned);
    List<String> keys = new ArrayList<>(exits.depths().stream().map(String::valueOf).toList());
    keys.add(ExitKeys.FINAL);
    List<StackedBars.Bar> bars = new ArrayList<>();
    for (double threshold : new double[] {0.1, 0.2, 0.3, 0.5, 0.8, 1}) {
      var counts = new LinkedHashMap<String, Double>();
      keys.forEach(key -> counts.put(key, 0.0));
      int all = 0;
      for (String prompt : PROMPTS) {
        var options = TextOptions.atMost(64).strategy(Strategy.earlyExit(exits, threshold));
        for (var token : model.generate(prompt, options).forEach(_ -> {}).tokens()) {
          counts.merge(ExitKeys.of(token.exit()), 1.0, Double::sum);
          all++;
        }
      }
      int tokens = all;
      counts.replaceAll((_, count) -> count / tokens);
      bars.add(new StackedBars.Bar(String.valueOf(threshold), counts));
    }
    String description = bars.stream()
        .map(bar -> "threshold " + bar.label() + ": " + Math.round(100 * bar.shares().get(ExitKeys.FINAL)) + "% at the final layer")
        .collect(Collectors.joining(", "));
    var palette = new Palette(keys);
    StackedBars.draw("exits", "Where tokens leave", description, List.of(new StackedBars.Group("threshold", bars)),
        "share of tokens", palette, ExitKeys::label).write(file, palette);
  }
}
