package dev.sortie.eetuning.calibrate;

import dev.sortie.eetuning.eval.TokenReadings;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.file.TextFiles;
import dev.sortie.nn.json.JsonLines;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What exits said of sequences, on disk: a line that tells of which model and exits, then a line
 * for each sequence. An interrupted run resumes from there, and another risk or level reads it
 * alone.
 */
public final class TraceFile {
  /** Traces of long calibrations have some hundred megabytes. */
  private static final int MAX_BYTES = 1 << 30;

  private static final String FORMAT = "sortie-traces";
  private static final int VERSION = 3;

  private final Path file;
  private final Map<String, TokenReadings> known = new HashMap<>();

  private TraceFile(Path file) {
    this.file = file;
  }

  /**
   * Opens or begins a file.
   *
   * @param of what the traces depend on, by name: hashes of model and exits, and the like
   * @throws InputException if the file belongs to something else, or is no such file
   */
  public static TraceFile open(Path file, Map<String, String> of) {
    TraceFile traces = new TraceFile(file);
    if (!Files.exists(file)) {
      Map<String, Object> head = new LinkedHashMap<>();
      head.put("format", FORMAT);
      head.put("version", VERSION);
      head.putAll(of);
      traces.append(head);
      return traces;
    }
    InputFiles.requireRegular(file);
    String text = TextFiles.read(file, MAX_BYTES);
    int whole = text.lastIndexOf('\n') + 1;
    List<JsonObject> lines =
        JsonLines.parse(file.toString(), whole == 0 ? text : text.substring(0, whole));
    JsonObject head = lines.getFirst();
    head.getString("format", Set.of(FORMAT));
    head.getInt("version", VERSION, VERSION);
    of.forEach(
        (field, value) -> {
          String found = head.optional(field, head::getString).orElse("missing");
          if (!found.equals(value)) {
            throw new InputException(
                "%s: %s is %s, that of this run is %s: these traces are of something else; name another file"
                    .formatted(file, field, found, value));
          }
        });
    if (whole < text.length()) {
      // half a line of a run that was killed
      AtomicFiles.write(file, text.substring(0, whole).getBytes(StandardCharsets.UTF_8));
    }
    for (JsonObject line : lines.subList(1, lines.size())) {
      traces.known.put(line.getString("sequence"), readings(line));
    }
    return traces;
  }

  /** What was said of this sequence, if it is known. */
  public Optional<TokenReadings> get(HeldOutSequence sequence) {
    return Optional.ofNullable(known.get(name(sequence)));
  }

  /** Keeps what was said of this sequence. */
  public void add(HeldOutSequence sequence, TokenReadings r) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("sequence", name(sequence));
    line.put("text", Arrays.stream(r.text()).boxed().toList());
    line.put("depths", r.depths());
    List<Map<String, Object>> heads = new ArrayList<>();
    r.exits().forEach(h -> heads.add(head(h)));
    heads.add(head(r.last()));
    line.put("heads", heads);
    append(line);
    known.put(name(sequence), r);
  }

  private void append(Map<String, Object> line) {
    try {
      JsonLines.append(file, line);
    } catch (IOException e) {
      throw new InputException(
          file
              + ": cannot be written: "
              + InputFiles.reason(e)
              + "; give a file in a folder that exists",
          e);
    }
  }

  private static String name(HeldOutSequence s) {
    String text = s.kind() + " " + Arrays.toString(s.ids());
    return Sha256.of(text.getBytes(StandardCharsets.UTF_8)).substring(0, 32);
  }

  private static Map<String, Object> head(TokenReadings.Head h) {
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("choices", Arrays.stream(h.choices()).boxed().toList());
    one.put("confidences", Arrays.stream(h.confidences()).boxed().toList());
    // JSON has no infinity
    one.put("nll", Arrays.stream(h.nll()).boxed().map(x -> x.isInfinite() ? -1.0 : x).toList());
    return one;
  }

  private static TokenReadings readings(JsonObject line) {
    List<TokenReadings.Head> heads = new ArrayList<>();
    for (JsonObject h : line.getObjects("heads")) {
      int[] choices = ids(h, "choices");
      double[] nll = numbers(h, "nll", choices.length);
      for (int i = 0; i < nll.length; i++) {
        nll[i] = nll[i] == -1 ? Double.POSITIVE_INFINITY : nll[i];
      }
      heads.add(new TokenReadings.Head(choices, numbers(h, "confidences", choices.length), nll));
    }
    List<Integer> depths = line.getInts("depths", 1, 1 << 20);
    if (heads.size() != depths.size() + 1) {
      throw line.error("heads", (depths.size() + 1) + " objects, one for each exit and the final");
    }
    int[] text = ids(line, "text");
    TokenReadings.Head last = heads.getLast();
    if (text.length <= last.choices().length) {
      throw line.error("text", "more than the " + last.choices().length + " tokens predicted");
    }
    return new TokenReadings(text, depths, heads.subList(0, depths.size()), last);
  }

  private static int[] ids(JsonObject of, String field) {
    return of.getInts(field, 0, Integer.MAX_VALUE).stream().mapToInt(i -> i).toArray();
  }

  private static double[] numbers(JsonObject head, String field, int count) {
    List<?> list = head.getList(field);
    if (list.size() != count || !list.stream().allMatch(Number.class::isInstance)) {
      throw head.error(field, count + " numbers");
    }
    return list.stream().mapToDouble(x -> ((Number) x).doubleValue()).toArray();
  }
}
