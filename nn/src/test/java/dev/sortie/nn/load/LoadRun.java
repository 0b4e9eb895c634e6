package dev.sortie.nn.load;

import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.Workspace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Loads a model in a process of its own and prints its resident memory in KiB: before, once it is
 * loaded, and once three tokens went through all layers. Arguments: folder, precision.
 */
final class LoadRun {
  private LoadRun() {}

  public static void main(String[] args) throws IOException {
    long before = residentKib();
    try (Device device = Device.cpu(1);
        Workspace workspace = new Workspace();
        LanguageModel model =
            LanguageModel.load(Path.of(args[0]), Precision.valueOf(args[1]), device)) {
      long loaded = residentKib();
      Ops ops = new Ops(device, workspace);
      Tensor ids = Tensor.ids(workspace, Shape.of(1, 3), new int[] {5, 250_000, 500_000});
      int layers = model.config().decoder().layers();
      NoGrad.run(() -> model.decoder().forward(ops, ids, layers, Decoder.Tap.NONE));
      System.out.println(before + " " + loaded + " " + residentKib());
    }
  }

  private static long residentKib() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }
}
