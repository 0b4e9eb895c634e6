package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.option.RankMixin;
import dev.sortie.eetuning.train.checkpoint.Reshard;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.json.Json;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Checks a checkpoint, and writes it for another layout. */
@Command(
    name = "reshard",
    mixinStandardHelpOptions = true,
    description =
        "Verifies the newest checkpoint of a run and, with --out, rewrites it "
            + "for a different --tp. Run the training command with that --out to "
            + "resume from it. A different --dp or --pp does not need this step.")
public final class ReshardCommand implements Callable<Integer> {
  @Option(
      names = "--run",
      required = true,
      paramLabel = "DIR",
      description = "Folder of the run. It is not changed.")
  private Path run;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Folder for the rewritten run. Default: verify only.")
  private Path out;

  @Option(
      names = "--tp",
      paramLabel = "N",
      defaultValue = "1",
      description = "Tensor-parallel ranks of the rewritten run. Default: ${DEFAULT-VALUE}.")
  private int tp;

  @Option(
      names = "--sequence-parallel",
      description = "The rewritten run uses --sequence-parallel. Requires --tp.")
  private boolean sequence;

  @Option(
      names = "--pp",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Pipeline stages of the rewritten run; --pp times --tp files are "
              + "written. A run with a different --pp can read them too. Default: "
              + "${DEFAULT-VALUE}.")
  private int pp;

  @Option(
      names = "--dp",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Data-parallel replicas of the rewritten run. Checkpoints do not depend "
              + "on it. Default: ${DEFAULT-VALUE}.")
  private int dp;

  @Option(names = "--json", description = "Print the result as JSON to standard output.")
  private boolean json;

  @Override
  public Integer call() {
    Mesh mesh = RankMixin.mesh(tp, dp, pp);
    if (out == null && mesh.world() > 1) {
      throw new UsageException("a layout is for a checkpoint that is written; give --out");
    }
    if (sequence && mesh.tp() == 1) {
      throw new UsageException("--sequence-parallel needs --tp 2 or more");
    }
    Reshard reshard = new Reshard(run, line -> System.err.println("reshard: " + line));
    try (Device device = Device.cpu(1)) {
      print(out == null ? reshard.check() : reshard.write(mesh, sequence, out, device.kernels()));
    }
    return 0;
  }

  private void print(Reshard.Checked checked) {
    if (!json) {
      System.out.printf(
          Locale.ROOT,
          "step %d: %,d elements of %d tensors, each once, in %d files%s%n",
          checked.step(),
          checked.elements(),
          checked.tensors(),
          checked.files().size(),
          out == null ? "" : ", written to " + out);
      return;
    }
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("step", checked.step());
    root.put("tensors", checked.tensors());
    root.put("elements", checked.elements());
    root.put("files", checked.files());
    System.out.println(Json.compact(root));
  }
}
