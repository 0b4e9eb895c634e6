package dev.sortie.eetuning.exercise;

import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.Sortie;
import dev.sortie.eetuning.TunerOptions;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.policy.ExitEvidence;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.train.data.ParallelSampler;
import dev.sortie.eetuning.train.tune.Objective;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Records what an exit of the embedded model says, for the exercise {@code exit-rule}: tunes a
 * {@code norm} exit on text that the model writes, then decodes texts at full depth and notes at
 * each token what the exit says and whether it agrees. Run it by hand, with the file to write and a
 * folder for the exit, to record again.
 */
final class ExitEvidenceRecorder {
  private static final int TEXTS = 96;
  private static final int TOKENS = 16;
  private static final int PROMPT = 12;
  private static final int ROWS = 16;

  private ExitEvidenceRecorder() {}

  public static void main(String[] arguments) throws Exception {
    Path folder = Files.createDirectories(Path.of(arguments[1]));
    try (Model model = Sortie.load("fable");
        Device device = Device.cpu()) {
      LanguageModel m = model.languageModel();
      Path text = folder.resolve("text.txt");
      Files.writeString(
          text,
          sampled(m, device, 8, 128, 1).map(m.tokenizer()::decode).collect(Collectors.joining()));
      TunerOptions options =
          TunerOptions.at(ExitRuleChecks.DEPTH)
              .architecture(ExitArchitecture.NORM)
              .objective(Objective.KL)
              .steps(100, 8, 128)
              .gateTokens(0);
      Exits exits = model.tuner(options).tune(List.of(text), folder.resolve("exits"));
      String all =
          sampled(m, device, TEXTS / ROWS, PROMPT, 2)
              .map(prompt -> String.join("\n", record(m, exits, device, prompt)))
              .collect(Collectors.joining("\n\n"));
      Files.writeString(Path.of(arguments[0]), all + "\n");
    }
  }

  /** Texts that the model writes, in batches. */
  private static Stream<int[]> sampled(
      LanguageModel m, Device device, int batches, int tokens, long seed) {
    int[] first = new int[ROWS];
    Arrays.fill(first, m.tokenizer().encode("\n")[0]);
    ParallelSampler sampler =
        new ParallelSampler(m.decoder(), new SamplingOptions(0.8, 0, 1, 0, 1, seed), device);
    return IntStream.range(0, batches)
        .mapToObj(batch -> sampler.sample(first, tokens, batch, done -> {}))
        .flatMap(Arrays::stream);
  }

  /** The lines of one text, an element for each token. */
  private static List<String> record(LanguageModel m, Exits exits, Device device, int[] prompt) {
    Recorder recorder = new Recorder();
    List<String> lines = new ArrayList<>();
    int room = prompt.length + TOKENS + 1;
    try (EarlyExit decoding =
        new EarlyExit(m.decoder(), exits, recorder, room, EarlyExit.MAX_PENDING, device)) {
      Step step = decoding.prefill(prompt);
      for (int i = 0; i < TOKENS; i++) {
        step = decoding.next(Sampler.argmax(step.logits()));
        boolean agrees = recorder.token == Sampler.argmax(step.logits());
        lines.add((agrees ? "= " : "! ") + recorder.largest);
      }
    }
    return lines;
  }

  /** Listens, and lets no token leave. */
  private static final class Recorder implements ExitPolicy {
    private int token;
    private String largest;

    @Override
    public double confidence(ExitEvidence evidence) {
      float[] logits = evidence.answer().logits().toFloats();
      token = evidence.token();
      double[] p = new double[logits.length];
      Arrays.setAll(p, i -> Math.exp(logits[i] - evidence.answer().lse()));
      Arrays.sort(p);
      largest =
          IntStream.rangeClosed(1, RecordedExit.LARGEST)
              .mapToObj(i -> String.valueOf(Math.round(RecordedExit.SCALE * p[p.length - i])))
              .collect(Collectors.joining(" "));
      return 0;
    }

    @Override
    public boolean exits(int depth, double confidence) {
      return false;
    }

    @Override
    public boolean never() {
      return false;
    }

    @Override
    public boolean rests() {
      return false;
    }
  }
}
