package dev.sortie.eetuning.train.audit;

import dev.sortie.eetuning.train.checkpoint.Checkpoint;
import dev.sortie.eetuning.train.checkpoint.CheckpointListener;
import dev.sortie.eetuning.train.checkpoint.Checkpoints;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.file.InputFiles;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Computes steps of a recorded run again and compares each with its line. It begins with the first
 * step, or at the last checkpoint before the steps that are asked for. The checkpoints that it
 * passes must be what the replay has come to. The run may still train: lines and checkpoints are
 * those of one moment, but for checkpoints that it has deleted since.
 */
public final class AuditReplay {
  private final Path path;
  private final AuditScan scan;
  private final List<StepEvidence> lines;
  private final Optional<Checkpoints> checkpoints;
  private final List<Integer> saved;

  private AuditReplay(
      Path path,
      AuditScan scan,
      List<StepEvidence> lines,
      Optional<Checkpoints> checkpoints,
      List<Integer> saved) {
    this.path = path;
    this.scan = scan;
    this.lines = lines;
    this.checkpoints = checkpoints;
    this.saved = saved;
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
   * @param run folder of the run, whose checkpoints are used; empty: none
   * @throws InputException if it is none, or a line was changed; names the step
   */
  public static AuditReplay read(Path path, Optional<Path> run) {
    InputFiles.requireRegular(path);
    Optional<Checkpoints> checkpoints =
        run.map(
            folder ->
                new Checkpoints(
                    folder, ProcessGroups.single(), 1, new CheckpointListener() {})); // saves none
    // before the lines: a run that trains writes a line before the checkpoint of its step
    List<Integer> saved = checkpoints.map(Checkpoints::steps).orElse(List.of());
    List<StepEvidence> lines = new ArrayList<>();
    try (InputStream in = new BufferedInputStream(Files.newInputStream(path))) {
      AuditScan scan = AuditScan.of(in, path.toString(), (step, _, _) -> lines.add(step));
      return new AuditReplay(path, scan, lines, checkpoints, saved);
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
              .formatted(path, Printable.line(recorded), here, Printable.line(recorded)));
    }
  }

  /**
   * Replays. All ranks make the same call and come to the same.
   *
   * @param from first step that is asked for, from 1
   * @param to last step, at most {@link #steps}
   * @param witness of a job that has done no step yet
   * @param stop ends the replay after a step
   * @throws InputException if the replay cannot be made
   */
  public Verdict run(
      int from, int to, StepWitness witness, Listener listener, BooleanSupplier stop) {
    requireKernels(witness.kernels().name());
    return new Replay(from, to, witness, listener, stop).run();
  }

  /**
   * What a checkpoint that was listed came to.
   *
   * @param there whether it is there still
   * @param differs what is wrong with its files, if anything is
   */
  private record Restored(boolean there, Optional<Verdict.Differs> differs) {}

  /** One replay. Ranks may have read another length of the record, and other checkpoints. */
  private final class Replay {
    private final int from;
    private final int to;

    /** The last line, if all of the record was asked for; 0: less was. */
    private final int end;

    private final List<Integer> listed;
    private final StepWitness witness;
    private final Listener listener;
    private final BooleanSupplier stop;
    private final ProcessGroups groups;

    Replay(int from, int to, StepWitness witness, Listener listener, BooleanSupplier stop) {
      this.from = from;
      this.witness = witness;
      this.listener = listener;
      this.stop = stop;
      this.groups = witness.groups();
      this.to = groups.gather(to).stream().mapToInt(Long::intValue).min().orElseThrow();
      this.end = (int) groups.fromLeader(to == lines.size() ? to : 0);
      this.listed = fromLeader(saved);
    }

    private List<Integer> fromLeader(List<Integer> steps) {
      long[] all = new long[(int) groups.fromLeader(steps.size())];
      if (groups.leads()) {
        Arrays.setAll(all, steps::get);
      }
      return Arrays.stream(groups.sum(all)).mapToObj(Math::toIntExact).toList();
    }

    Verdict run() {
      int last = checkpointBefore(from);
      return settings()
          .map(d -> new Verdict(last, last, Optional.of(d)))
          .orElseGet(() -> begin(last));
    }

    private int checkpointBefore(int step) {
      return listed.stream().filter(s -> s < step).reduce(0, Math::max);
    }

    /** Where only the data differ, the first step that has other data is named. */
    private Optional<Verdict.Differs> settings() {
      return header()
          .settings(witness.settings())
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

    /** Brings the job to where the replay begins, at this checkpoint or an earlier one. */
    private Verdict begin(int start) {
      if (start > 0) {
        Restored restored = restore(start);
        if (!restored.there()) {
          return begin(checkpointBefore(start));
        }
        if (restored.differs().isPresent()) {
          return new Verdict(start, start, restored.differs());
        }
      }
      listener.begins(start);
      AuditHeader now = witness.header(header().command(), header().options());
      List<String> leaves = start == 0 ? header().start() : lines.get(start - 1).leaves();
      return header()
          .difference(now)
          .or(() -> StepEvidence.tensors(leaves, now.start(), now.tensors()))
          .map(
              d -> new Verdict(start, start, Optional.of(new Verdict.Differs(start, d.toString()))))
          .orElseGet(() -> steps(start));
    }

    /**
     * Takes the state of a checkpoint that was listed, unless the run has deleted it since. A
     * collective call.
     */
    private Restored restore(int step) {
      Checkpoints all = checkpoints.orElseThrow();
      Optional<Checkpoint> found = Optional.empty();
      String fault = "";
      try {
        found = Optional.of(all.at(step));
      } catch (InputException e) {
        fault = e.getMessage();
      }
      if (groups.any(found.isEmpty() && !all.has(step))) {
        return new Restored(false, Optional.empty());
      }
      if (found.isPresent()) {
        try {
          Checkpoints.restore(found.get(), witness.job(), witness.kernels());
          return new Restored(true, Optional.empty());
        } catch (InputException e) {
          if (!all.has(step)) { // by now another rank may have its state
            throw new InputException(
                found.get().path() + ": was deleted while it was read; verify again", e);
          }
          fault = e.getMessage();
        }
      }
      return new Restored(true, Optional.of(new Verdict.Differs(step, fault)));
    }

    private Verdict steps(int start) {
      for (int step = start + 1; step <= to; step++) {
        int done = step;
        Optional<Verdict.Differs> differs =
            step(step)
                .map(d -> new Verdict.Differs(done, d.toString()))
                .or(() -> listed.contains(done) ? checkpoint(done) : Optional.empty());
        if (differs.isPresent()) {
          return new Verdict(start, step - 1, differs);
        }
        listener.agrees(step);
        if (step < to && groups.any(stop.getAsBoolean())) {
          throw new InputException(
              "stopped after step %d, with nothing that differs".formatted(step));
        }
      }
      return new Verdict(start, to, end > 0 ? missing() : Optional.empty());
    }

    /** Lines are on the disk before any checkpoint of their step: a later one shows a loss. */
    private Optional<Verdict.Differs> missing() {
      return listed.stream()
          .filter(step -> step > end)
          .findFirst()
          .map(
              step ->
                  new Verdict.Differs(
                      end + 1, "its line is missing: the run has a checkpoint after step " + step));
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
      Restored restored = restore(step);
      if (!restored.there() || restored.differs().isPresent()) {
        return restored.differs();
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
