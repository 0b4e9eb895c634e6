package dev.sortie.eetuning.train.audit;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * A record as it was read from its first line to its last: each line is whole, well-formed, and
 * names the hash of the line before.
 *
 * @param header its first line
 * @param steps how many lines follow
 * @param head hash of the last line; who knows it knows all lines
 * @param bytes of these lines. More bytes in the file are the beginning of a line that a kill has
 *     cut short
 */
record AuditScan(AuditHeader header, int steps, String head, long bytes) {
  private static final int LONGEST_LINE = 64 << 20;

  /** Takes the lines of steps in order. */
  @FunctionalInterface
  interface User {
    /**
     * Takes one.
     *
     * @param previous hash of the line before
     */
    void take(StepEvidence evidence, String previous, AuditLine line);
  }

  /**
   * Reads a record to its end.
   *
   * @param origin names it in messages
   * @throws InputException if it is no record, or its chain is broken; names the step
   */
  static AuditScan of(InputStream in, String origin, User user) throws IOException {
    AuditLine line = next(in, origin);
    if (line == null) {
      throw new InputException(origin + ": is no audit record: it has no whole line");
    }
    AuditHeader header = AuditHeader.read(parse(origin, 1, line));
    String head = line.hash();
    long bytes = line.bytes().length;
    int steps = 0;
    for (line = next(in, origin); line != null; line = next(in, origin)) {
      JsonObject fields = parse(origin, steps + 2, line);
      String named = fields.getString(AuditLine.PREVIOUS);
      if (!named.equals(head)) {
        throw new InputException(
            "%s: %s was changed, or lines after it were removed or inserted: line %d names %s as the hash of the line before, which has %s"
                .formatted(
                    origin,
                    steps == 0 ? "the first line" : "step %d".formatted(steps),
                    steps + 2,
                    Json.shown(named),
                    head));
      }
      steps++;
      user.take(StepEvidence.read(fields, steps, header.tensors().size()), head, line);
      head = line.hash();
      bytes += line.bytes().length;
    }
    return new AuditScan(header, steps, head, bytes);
  }

  private static JsonObject parse(String origin, int number, AuditLine line) {
    return Json.parse(origin + " line " + number, line.text(), JsonLimits.DATA);
  }

  /** The next line; null where there is no whole one. */
  private static AuditLine next(InputStream in, String origin) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b >= 0; b = in.read()) {
      if (b == '\n') {
        return new AuditLine(new String(Json.utf8(origin, line.toByteArray())));
      }
      if (line.size() == LONGEST_LINE) {
        throw new InputException(
            "%s: is no audit record: a line is longer than %d bytes"
                .formatted(origin, LONGEST_LINE));
      }
      line.write(b);
    }
    return null;
  }
}
