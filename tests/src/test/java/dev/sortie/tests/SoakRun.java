package dev.sortie.tests;

import dev.sortie.eetuning.train.data.RowsSource;
import dev.sortie.eetuning.train.pretrain.PretrainOptions;
import dev.sortie.eetuning.train.pretrain.Pretrainer;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.device.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The process that {@link SoakTest} watches: trains a tiny decoder and prints, every so many steps,
 * steps done, resident memory in KiB, bytes of its workspace, and the loss.
 */
final class SoakRun {
  static final int STEPS = 2000;
  static final int EVERY = 50;

  /**
   * Steps between two rests of {@link #REST_MILLIS}. The JVM keeps what a compilation used for up
   * to five seconds (HotSpot's pool of arena chunks); the sample after a rest is free of it.
   */
  static final int REST_EVERY = 500;

  static final long REST_MILLIS = 6000;

  static final Path STATUS = Path.of("/proc/self/status");

  private static final int VOCAB = 32;
  private static final int LENGTH = 16;
  private static final int BATCH = 4;

  private SoakRun() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    DecoderConfig config =
        new DecoderConfig(
            2, 16, 2, 1, 8, 32, VOCAB, LENGTH, 1e-5, 10000, false, false, false, false);
    Schedule schedule = new Schedule(1e-2, 1e-3, 20, STEPS, Schedule.Decay.COSINE);
    PretrainOptions options = new PretrainOptions(BATCH, BATCH, schedule, AdamW.Options.DEFAULT, 1);
    RowsSource data = new RowsSource(countingRows(), 2, 1);
    try (Device device = Device.cpu(2);
        Pretrainer job = new Pretrainer(config, options, data, device)) {
      for (int step = 0; step < STEPS; step++) {
        double loss = job.step(step).get("final");
        if ((step + 1) % EVERY == 0) {
          job.validate();
          if ((step + 1) % REST_EVERY == 0) {
            Thread.sleep(REST_MILLIS);
          }
          System.out.println(
              (step + 1) + " " + residentKib() + " " + job.workspaceBytes() + " " + loss);
        }
      }
    }
  }

  /** Each row counts on from a random start, which a model can learn. */
  private static int[][] countingRows() {
    Random random = new Random(3, 0);
    int[][] rows = new int[64][LENGTH + 1];
    for (int r = 0; r < rows.length; r++) {
      int start = random.below(r, VOCAB);
      for (int t = 0; t <= LENGTH; t++) {
        rows[r][t] = (start + t) % VOCAB;
      }
    }
    return rows;
  }

  private static long residentKib() throws IOException {
    return Files.readAllLines(STATUS).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }
}
