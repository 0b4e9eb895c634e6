package dev.sortie.eetuning.train.audit;

import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A line of a record: a JSON object in UTF-8, whose first field, but for the first line's, is the
 * SHA-256 of the line before.
 *
 * @param text without its line break
 */
record AuditLine(String text) {
  /** Name of the field that links to the line before. */
  static final String PREVIOUS = "previous";

  /** The first line. */
  static AuditLine first(AuditHeader header) {
    return new AuditLine(Json.compact(header.describe()));
  }

  /**
   * A line after another one.
   *
   * @param previous hash of that
   */
  static AuditLine of(StepEvidence evidence, String previous) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put(PREVIOUS, previous);
    fields.putAll(evidence.describe());
    return new AuditLine(Json.compact(fields));
  }

  /** The bytes in the file, with the line break. */
  byte[] bytes() {
    return (text + "\n").getBytes(StandardCharsets.UTF_8);
  }

  /** The hash by which the next line names this one. */
  String hash() {
    return Sha256.of(text.getBytes(StandardCharsets.UTF_8));
  }
}
