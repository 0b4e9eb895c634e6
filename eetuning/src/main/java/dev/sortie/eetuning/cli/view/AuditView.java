package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.train.audit.AuditReplay;
import dev.sortie.nn.json.Json;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Shows what a replay comes to: a line for each step on standard output, or one object in the end.
 */
public final class AuditView implements AuditReplay.Listener, AutoCloseable {
  private final Path file;
  private final AuditReplay record;
  private final boolean speaks;
  private final boolean json;
  private ProgressLine progress;

  /**
   * @param speaks whether this rank prints
   */
  public AuditView(Path file, AuditReplay record, boolean speaks, boolean json) {
    this.file = file;
    this.record = record;
    this.speaks = speaks;
    this.json = json;
  }

  @Override
  public void begins(int done) {
    if (!speaks) {
      return;
    }
    System.err.printf(
        "audit: %s: %d steps, chain intact, SHA-256 of its last line %s%n",
        file, record.steps(), record.head());
    System.err.println(
        "audit: the replay begins "
            + (done == 0 ? "with step 1" : "at the checkpoint after step " + done));
    if (json) {
      progress = ProgressLine.start("audit", record.steps(), System.err);
    }
  }

  @Override
  public void agrees(int step) {
    if (progress != null) {
      progress.step(step, "");
    } else if (speaks) {
      System.out.println("step " + step + ": yes");
    }
  }

  /** Says what it came to. */
  public void show(AuditReplay.Verdict verdict) {
    if (!speaks) {
      return;
    }
    if (json) {
      System.out.println(Json.compact(object(verdict)));
      return;
    }
    System.out.println(
        verdict
            .differs()
            .map(
                d ->
                    "%s: no: %s"
                        .formatted(d.step() == 0 ? "before step 1" : "step " + d.step(), d.what()))
            .orElseGet(
                () ->
                    "steps %d to %d agree with the record"
                        .formatted(verdict.after() + 1, verdict.agreed())));
  }

  private Map<String, Object> object(AuditReplay.Verdict verdict) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("file", file.toString());
    object.put("command", record.header().command());
    object.put("steps", record.steps());
    object.put("audit_sha256", record.head());
    object.put("replayed_from", verdict.after() + 1);
    object.put("agreed_to", verdict.agreed());
    object.put("agrees", verdict.differs().isEmpty());
    verdict
        .differs()
        .ifPresent(d -> object.put("differs", Json.object("step", d.step(), "what", d.what())));
    return object;
  }

  @Override
  public void close() {
    if (progress != null) {
      progress.close();
    }
  }
}
