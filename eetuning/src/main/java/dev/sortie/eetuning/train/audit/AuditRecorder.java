package dev.sortie.eetuning.train.audit;

import dev.sortie.eetuning.train.loop.StepRecorder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

/** Writes the audit record of a run; of several ranks the first one does. */
public final class AuditRecorder implements StepRecorder, AutoCloseable {
  private final Path path;
  private final String command;
  private final Map<String, List<String>> options;
  private final StepWitness witness;
  private AuditFile file;

  /**
   * Opens nothing yet.
   *
   * @param path of the record, which may be that of the same run
   * @param options of the command, as {@link AuditHeader} has them
   */
  public AuditRecorder(
      Path path, String command, Map<String, List<String>> options, StepWitness witness) {
    this.path = path;
    this.command = command;
    this.options = options;
    this.witness = witness;
  }

  @Override
  public void begin(int done) {
    AuditHeader header = witness.header(command, options);
    if (witness.groups().leads()) {
      file = AuditFile.open(path, header, done);
    }
  }

  @Override
  public Consumer<Map<String, Double>> computed(int done) {
    Function<Map<String, Double>, StepEvidence> evidence = witness.computed(done);
    return losses -> {
      if (file != null) {
        file.append(evidence.apply(losses));
      }
    };
  }

  /** Hash of the last line, on the first rank, once the run has begun. */
  public String head() {
    return file.head();
  }

  @Override
  public void close() {
    if (file != null) {
      file.close();
    }
  }
}
