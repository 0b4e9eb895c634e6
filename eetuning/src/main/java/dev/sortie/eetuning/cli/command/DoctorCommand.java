package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.option.DecodedModelMixin;
import dev.sortie.eetuning.cli.option.ExitsMixin;
import dev.sortie.eetuning.cli.option.ModelMixin;
import dev.sortie.eetuning.cli.option.UsedModelMixin;
import dev.sortie.eetuning.cli.view.CostView;
import dev.sortie.eetuning.cli.view.ExitTable;
import dev.sortie.eetuning.cli.view.LinksView;
import dev.sortie.eetuning.cli.view.ModelTable;
import dev.sortie.eetuning.cost.CostCache;
import dev.sortie.eetuning.cost.CostTable;
import dev.sortie.eetuning.cost.Payoffs;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.doctor.Examination;
import dev.sortie.eetuning.doctor.Topic;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.FinalDraft;
import dev.sortie.eetuning.host.ModelName;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Says what Sortie found on this machine, and what decoding a model costs on it. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description =
        "Checks this machine: JDK, flags, cores, memory, the selected kernels "
            + "and their speed, huge pages, OpenCL devices, MPI; reports what is slow "
            + "and how to fix it. With --model, also measures the cost of the model's "
            + "layers, head and exits, and which exits and draft lengths can speed up "
            + "decoding. With --models, lists the supported models instead.")
public final class DoctorCommand implements Callable<Integer> {
  private static final int MOST_SECONDS = 3600;

  @Mixin private ComputeMixin compute;

  @Option(
      names = "--model",
      paramLabel = "M",
      description = "A model to measure. The results are kept for generate. " + ModelName.HELP)
  private String model;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "file",
      description =
          UsedModelMixin.DTYPE
              + " The measurement is valid for this type only, so pass the same type to "
              + "generate.")
  private Precision precision;

  @Option(names = "--exact", description = DecodedModelMixin.EXACT)
  private boolean exact;

  @Mixin private ExitsMixin exitSource;

  @Option(names = "--json", description = "Print one JSON object per topic.")
  private boolean json;

  @Option(
      names = "--comm",
      description =
          "Measure the links between the ranks of a job started by launch instead, "
              + "and show which algorithms are used on them.")
  private boolean comm;

  @Option(
      names = "--tune",
      arity = "0..1",
      paramLabel = "SECONDS",
      fallbackValue = "60",
      description =
          "Tune the kernels for each OpenCL device first and keep the result for "
              + "--device opencl. Takes up to SECONDS per device, ${FALLBACK-VALUE} by "
              + "default.")
  private Integer tune;

  @Option(
      names = "--models",
      description = "List the supported model families and their features instead.")
  private boolean models;

  @Override
  public Integer call() {
    if (comm) {
      LinksView.print(json, System.out);
      return 0;
    }
    if (model == null && exitSource.isGiven()) {
      throw new UsageException(
          "--exits " + exitSource.folder() + " needs --model M, their backbone");
    }
    exitSource.check();
    if (models) {
      if (json) {
        ModelTable.printJson(System.out);
      } else {
        ModelTable.print(System.out);
      }
      return 0;
    }
    compute.threads(); // a wrong number of them is no finding about this machine
    List<Topic> topics = Examination.run(compute::open, tuning());
    List<String> exits = new ArrayList<>();
    CostTable table = model == null ? null : measured(exits);
    Payoffs payoffs = table == null ? null : Payoffs.of(table, EarlyExit.MAX_PENDING);
    List<String> advice = topics.stream().flatMap(topic -> topic.advice().stream()).toList();
    if (json) {
      Map<String, Object> root = new LinkedHashMap<>();
      topics.forEach(topic -> root.put(topic.name(), topic.facts()));
      if (table != null) {
        root.put("exits", exits);
        root.put("cost", CostView.json(table, payoffs));
      }
      root.put("advice", advice);
      System.out.println(Json.compact(root));
      return 0;
    }
    for (Topic topic : topics) {
      System.out.println(topic.name());
      topic.facts().forEach((key, value) -> System.out.println("  " + key + ": " + value));
    }
    exits.forEach(System.out::println);
    if (table != null) {
      CostView.print(table, payoffs, System.out);
    }
    System.out.println(advice.isEmpty() ? "nothing to fix" : "to fix");
    advice.forEach(sentence -> System.out.println("  " + sentence));
    return 0;
  }

  private Optional<Duration> tuning() {
    if (tune == null) {
      return Optional.empty();
    }
    if (tune < 1 || tune > MOST_SECONDS) {
      throw new UsageException("--tune " + tune + " is outside 1 to " + MOST_SECONDS + " seconds");
    }
    return Optional.of(Duration.ofSeconds(tune));
  }

  /** Notes on the exits there are. */
  private CostTable measured(List<String> what) {
    Arithmetic arithmetic = exact ? Arithmetic.EXACT : Arithmetic.INTEGER;
    try (Device opened = compute.open();
        LanguageModel m = ModelMixin.load(model, precision, arithmetic, opened);
        NativeArena arena = new NativeArena("exits")) {
      Device device = m.device();
      Exits exits = exitSource.read(m, arena, device);
      if (exitSource.isGiven()) {
        what.addAll(ExitTable.lines(exits, exitSource.folder()));
      }
      Exits all = FinalDraft.add(exits);
      return new CostCache().measure(m.decoder(), all, device);
    }
  }
}
