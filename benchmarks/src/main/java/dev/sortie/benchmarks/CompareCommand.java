package dev.sortie.benchmarks;

import dev.sortie.benchmarks.compare.AllReduceComparison;
import dev.sortie.benchmarks.compare.ClBlastComparison;
import dev.sortie.benchmarks.compare.Comparison;
import dev.sortie.benchmarks.compare.DisagreementException;
import dev.sortie.benchmarks.compare.GemmComparison;
import dev.sortie.benchmarks.compare.LlamaComparison;
import dev.sortie.benchmarks.compare.NetlibComparison;
import dev.sortie.benchmarks.compare.Result;
import dev.sortie.benchmarks.compare.Settings;
import dev.sortie.benchmarks.compare.Table;
import dev.sortie.benchmarks.compare.TcpComparison;
import dev.sortie.benchmarks.compare.TrainComparison;
import dev.sortie.benchmarks.compare.TuneComparison;
import dev.sortie.benchmarks.limit.Limits;
import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.nn.json.Json;
import dev.sortie.tensor.device.Device;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Ours against a peer. */
@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    description =
        "Runs Sortie and a peer in turns and prints medians and their ratio; above 1, Sortie is"
            + " ahead.")
final class CompareCommand implements Callable<Integer> {
  private static final int FAILED = 1;

  /** The comparisons by name. */
  enum Name {
    /** Matrix products. */
    GEMM(GemmComparison::new),
    /** Matrix products on an OpenCL device. */
    CLBLAST(ClBlastComparison::new),
    /** Matrix products against another library in Java. */
    NETLIB(NetlibComparison::new),
    /** Decoding token after token. */
    DECODE(() -> new LlamaComparison(LlamaComparison.Phase.DECODE)),
    /** Reading a prompt. */
    PREFILL(() -> new LlamaComparison(LlamaComparison.Phase.PREFILL)),
    /** Training from scratch. */
    TRAIN(TrainComparison::new),
    /** Tuning exits. */
    TUNE(TuneComparison::new),
    /** Sums over two ranks of one machine. */
    ALLREDUCE(AllReduceComparison::new),
    /** Messages over TCP. */
    TCP(TcpComparison::new);

    private final Supplier<Comparison> comparison;

    Name(Supplier<Comparison> comparison) {
      this.comparison = comparison;
    }

    @Override
    public String toString() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  @Mixin private ComputeMixin compute;

  @Parameters(paramLabel = "NAME", description = "One of: ${COMPLETION-CANDIDATES}.")
  private Name name;

  @Option(names = "--json", description = "The result as one JSON object.")
  private boolean json;

  @Mixin private MeasuringMixin measuring;

  @Override
  public Integer call() {
    int threads = compute.threads();
    Settings settings = measuring.settings(threads);
    Machine machine = machine();
    System.err.println("measuring the machine's limits");
    Limits limits = Limits.measure(threads);
    Result result;
    try {
      Comparison.Measured m = name.comparison.get().run(settings, limits);
      result = new Result(name.toString(), m.peer(), machine, limits, m.rows());
    } catch (DisagreementException e) {
      System.err.println("sortie: " + e.getMessage());
      return FAILED;
    }
    System.out.println(json ? Json.compact(result.describe()) : Table.of(result));
    measuring.record(result.describe());
    return 0;
  }

  private Machine machine() {
    try (Device device = compute.open()) {
      return Machine.detect(device.kernels().name());
    }
  }
}
