package dev.sortie.eetuning.train.audit;

import dev.sortie.eetuning.train.checkpoint.CheckpointListener;
import dev.sortie.eetuning.train.checkpoint.Checkpoints;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.InputFiles;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Computes steps of a recorded run again and compares each with its line. It begins with the first
 * step, or at the last checkpoint before the steps that are asked for. The checkpoints that it
 * passes must be what the replay has come to.
 */
public final class AuditReplay {
  private final Path path;
  private final AuditScan scan;
  private final List<StepEvidence> lines;

  private AuditReplay(Path path, AuditScan scan, List<StepEvidence> lines) {
    this.path = path;
    this.scan = scan;
    this.lines = lines;
  }

  /** Is told of what is replayed. */
  public interface Listener {
    /** Replays begin after so many steps; 0: at the beginning. */
    default void begins(int done) {}

    /** A step, and all before it that were replayed, agree. */
    default void agrees(int step) {}
  }

  /**
   * What a replay came to.
   *
   * @param after steps that were taken from a checkpoint; 0: none
   * @param agreed the last step that agrees; {@code after}, if none does
   * @param differs the first step that does not, and what of it; empty: all agree
   */
  public record Verdict(int after, int agreed, Optional<Differs> differs) {
    /** A step of which something differs; 0: what the run begins with. */
    public record Differs(int step, String what) {}
  }

  /**
   * Reads a record and checks its chain.
   *
   * @throws InputException if it is none, or a line was changed; names the step
   */
  public static AuditReplay read(Path path) {
    InputFiles.requireRegular(path);
    List<StepEvidence> lines = new ArrayList<>();
    try (InputStream in = new BufferedInputStream(Files.newInputStream(path))) {
      AuditScan scan = AuditScan.of(in, path.toString(), (step, _, _) -> lines.add(step));
      return new AuditReplay(path, scan, lines);
    } catch (IOException e) {
      throw InputFiles.cannotRead(path, e);
    }
  }

  /** What the run is. */
  public AuditHeader header() {
    return scan.header();
  }

  /** Steps that the record has. */
  public int steps() {
    return scan.steps();
  }

  /** Hash of its last line. */
  public String head() {
    return scan.head();
  }

  /**
   * Refuses a kernel set other than the recorded one.
   *
   * @throws InputException with both names
   */
  private void requireKernels(String here) {
    String recorded = header().kernels();
    if (!recorded.equals(here)) {
      throw new InputException(
          "%s: was recorded with the kernel set %s, this run has %s, whose results differ in their last bits; set SORTIE_KERNELS=%s"
              .formatted(path, recorded, here, recorded));
    }
  }

  /**
   * Replays. All ranks make the same call and come to the same.
   *
   * @param from first step that is asked for, from 1
   * @param to last step, at most {@link #steps}
   * @param run folder of the run, whose checkpoints are used; empty: none
   * @param witness of a job that has done no step yet
   * @param stop ends the replay after a step
   * @throws InputException if the replay cannot be made
   */
  public Verdict run(
      int from,
      int to,
      Optional<Path> run,
      StepWitness witness,
      Listener listener,
      BooleanSupplier stop) {
    requireKernels(witness.kernels().name());
    return new Replay(from, to, run, witness, listener, stop).run();
  }

  /** One replay. */
  private final class Replay {
    private final int from;
    private final int to;
    private final StepWitness witness;
    private final Listener listener;
    private final BooleanSupplier stop;
    private final ProcessGroups groups;
    private final Optional<Checkpoints> checkpoints;

    Replay(
        int from,
        int to,
        Optional<Path> run,
        StepWitness witness,
        Listener listener,
        BooleanSupplier stop) {
      this.from = from;
      this.to = to;
      this.witness = witness;
      this.listener = listener;
      this.stop = stop;
      this.groups = witness.groups();
      this.checkpoints =
          run.map(folder -> new Checkpoints(folder, groups, 1, new CheckpointListener() {}));
    }

    Verdict run() {
      int start = start();
      return settings()
          .or(() -> begin(start))
          .map(d -> new Verdict(start, start, Optional.of(d)))
          .orElseGet(() -> steps(start));
    }

    /** The last checkpoint before the steps, as the first rank finds it. */
    private int start() {
      List<Integer> all = checkpoints.map(Checkpoints::steps).orElse(List.of());
      int mine = all.stream().filter(step -> step < from).reduce(0, Math::max);
      return (int) groups.fromLeader(mine);
    }

    /** Where only the data differ, the first step that has other data is named. */
    private Optional<Verdict.Differs> settings() {
      return header()
          .settings(witness.job().fingerprint())
          .map(
              d ->
                  d.what().equals("data")
                      ? firstOtherData().orElseGet(() -> new Verdict.Differs(0, d.toString()))
                      : new Verdict.Differs(0, d.toString()));
    }

    private Optional<Verdict.Differs> firstOtherData() {
      for (StepEvidence line : lines.subList(from - 1, to)) {
        String here = witness.data(line.step());
        if (!here.equals(line.data())) {
          return Optional.of(
              new Verdict.Differs(
                  line.step(), new StepEvidence.Difference("data", line.data(), here).toString()));
        }
      }
      return Optional.empty();
    }

    /** Brings the job to where the replay begins. */
    private Optional<Verdict.Differs> begin(int start) {
      if (start > 0) {
        Optional<Verdict.Differs> damaged = restore(start);
        if (damaged.isPresent()) {
          return damaged;
        }
      }
      listener.begins(start);
      AuditHeader now = witness.header(header().command(), header().options());
      List<String> leaves = start == 0 ? header().start() : lines.get(start - 1).leaves();
      return header()
          .difference(now)
          .or(() -> StepEvidence.tensors(leaves, now.start(), now.tensors()))
          .map(d -> new Verdict.Differs(start, d.toString()));
    }

    /** Takes the state of a checkpoint; what is wrong with its files, if anything is. */
    private Optional<Verdict.Differs> restore(int step) {
      try {
        Checkpoints.restore(checkpoints.orElseThrow().at(step), witness.job(), witness.kernels());
        return Optional.empty();
      } catch (InputException e) {
        return Optional.of(new Verdict.Differs(step, e.getMessage()));
      }
    }

    private Verdict steps(int start) {
      List<Integer> saved = checkpoints.map(Checkpoints::steps).orElse(List.of());
      for (int step = start + 1; step <= to; step++) {
        int done = step;
        Optional<Verdict.Differs> differs =
            step(step)
                .map(d -> new Verdict.Differs(done, d.toString()))
                .or(() -> saved.contains(done) ? checkpoint(done) : Optional.empty());
        if (differs.isPresent()) {
          return new Verdict(start, step - 1, differs);
        }
        listener.agrees(step);
        if (step < to && groups.any(stop.getAsBoolean())) {
          throw new InputException(
              "stopped after step %d, with nothing that differs".formatted(step));
        }
      }
      return new Verdict(start, to, to == lines.size() ? missing(saved) : Optional.empty());
    }

    /** Lines are on the disk before any checkpoint of their step: a later one shows a loss. */
    private Optional<Verdict.Differs> missing(List<Integer> saved) {
      return saved.stream()
          .filter(step -> step > to)
          .findFirst()
          .map(
              step ->
                  new Verdict.Differs(
                      to + 1, "its line is missing: the run has a checkpoint after step " + step));
    }

    private Optional<StepEvidence.Difference> step(int step) {
      Supplier<Map<String, Double>> losses = witness.job().begin(step - 1);
      Function<Map<String, Double>, StepEvidence> computed = witness.computed(step);
      StepEvidence replayed = computed.apply(losses.get());
      return lines.get(step - 1).difference(replayed, header().tensors());
    }

    /** Compares a checkpoint of the run with the state here, the optimiser's too. */
    private Optional<Verdict.Differs> checkpoint(int step) {
      Map<String, String> replayed = witness.state();
      Optional<Verdict.Differs> damaged = restore(step);
      if (damaged.isPresent()) {
        return damaged;
      }
      Map<String, String> saved = witness.state();
      return replayed.keySet().stream()
          .filter(name -> !replayed.get(name).equals(saved.get(name)))
          .findFirst()
          .map(
              name ->
                  new Verdict.Differs(
                      step,
                      new StepEvidence.Difference(
                              "tensor %s of the checkpoint".formatted(name),
                              saved.get(name),
                              replayed.get(name))
                          .toString()));
    }
  }
}
