package dev.sortie.eetuning.decode.batch;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A process of its own, for {@link LongRunContractTest}: decodes and prints what memory it has.
 * Arguments: model folder; {@code block}, {@code pages} or {@code requests}.
 */
final class LongRun {
  private static final Pattern RESIDENT = Pattern.compile("(?m)^VmRSS:\\s+(\\d+) kB$");

  private final LanguageModel model;
  private final Exits exits;
  private final Device device;
  private final int context;

  private LongRun(LanguageModel model, Exits exits, Device device) {
    this.model = model;
    this.exits = exits;
    this.device = device;
    this.context = model.config().decoder().context();
  }

  public static void main(String[] args) throws IOException {
    try (Device device = Device.cpu(1);
        LanguageModel model = LanguageModel.load(Path.of(args[0]), Precision.F32, device);
        NativeArena arena = new NativeArena("exits")) {
      Exit exit =
          ExitInit.COPY.build(
              new ExitSpec(1, ExitArchitecture.LAYER, true),
              model.decoder(),
              0,
              arena,
              device.kernels());
      LongRun run = new LongRun(model, new Exits(model.sha256(), Map.of(), List.of(exit)), device);
      switch (args[1]) {
        case "block" -> run.block();
        case "pages" -> run.pages();
        default -> run.requests();
      }
    }
  }

  /** Leaves at two tokens of three, so that deficit tokens are made up for all the time. */
  private record Often() implements ExitPolicy {
    @Override
    public boolean exits(int depth, double confidence) {
      return Double.hashCode(confidence) % 3 != 0;
    }

    @Override
    public boolean never() {
      return false;
    }
  }

  private void block() throws IOException {
    try (EarlyExit e = new EarlyExit(model.decoder(), exits, new Often(), context, 15, device)) {
      Step step = e.prefill(new int[] {1, 2, 3});
      while (e.position() < context) {
        step = e.next(Sampler.argmax(step.logits()));
        reportAt(e.position());
      }
      try {
        e.next(1);
      } catch (InputException expected) {
        System.out.println("full " + expected.getMessage());
      }
    }
  }

  private void pages() throws IOException {
    int pages = Math.ceilDiv(context, PagePool.PAGE_TOKENS);
    try (PagePool pool = new PagePool(model.decoder(), exits, pages, PagePool.PAGE_TOKENS, true);
        BatchDecoder decoder = new BatchDecoder(model.decoder(), exits, device);
        BatchSequence s =
            decoder.open(pool, new Often(), 15, new int[] {1, 2, 3}, context).orElseThrow()) {
      Step step = decoder.readPrompt(s, 512).orElseThrow();
      while (s.position() < context) {
        step = decoder.next(List.of(s), new int[] {Sampler.argmax(step.logits())}).getFirst();
        reportAt(s.position());
      }
      try {
        decoder.next(List.of(s), new int[] {1});
      } catch (InputException expected) {
        System.out.println("full " + expected.getMessage());
      }
    }
  }

  /** Texts of 100 tokens, up to eight at once, in a pool that is too small for all beginnings. */
  private void requests() throws IOException {
    GenerateOptions options = new GenerateOptions(100, SamplingOptions.GREEDY, List.of(), true);
    try (PagePool pool = new PagePool(model.decoder(), exits, 40, PagePool.PAGE_TOKENS, true);
        BatchDecoder decoder = new BatchDecoder(model.decoder(), exits, device);
        Scheduler scheduler =
            new Scheduler(
                decoder,
                pool,
                model.tokenizer(),
                List.of(),
                model.config().decoder().vocab(),
                new Scheduler.Limits(8, 16))) { // one owner may not take the last places
      int[] generated = {0};
      List<RequestHandle> open = new ArrayList<>();
      for (int i = 0; generated[0] < 10_000 || !open.isEmpty(); ) {
        while (open.size() < 16 && i < 100) {
          int[] prompt = new int[50 + i * 37 % 130];
          prompt[0] = i++ % 5;
          open.add(
              scheduler.submit(new Request(prompt, options, new Often(), 15, t -> generated[0]++)));
        }
        int before = generated[0];
        scheduler.round();
        open.removeIf(t -> t.result().isDone());
        for (int n = before + 1; n <= generated[0]; n++) {
          reportAt(n);
        }
      }
    }
  }

  private void reportAt(int tokens) throws IOException {
    if (tokens != 3_000 && tokens != 10_000) {
      return;
    }
    // collected twice: what the first one finds unreachable may own memory outside the heap
    for (int i = 0; i < 2; i++) {
      System.gc();
    }
    long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    Matcher m = RESIDENT.matcher(Files.readString(Path.of("/proc/self/status")));
    if (!m.find()) {
      throw new IOException("no VmRSS in /proc/self/status");
    }
    System.out.println(tokens + " " + heap + " " + Long.parseLong(m.group(1)) * 1024);
  }
}
