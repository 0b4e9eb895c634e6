package dev.sortie.benchmarks.paper;

import java.util.List;
import java.util.stream.Stream;

/**
 * A shell script that is run without a shell: commands, and loops whose variable stands in ids and
 * commands as {@code $name}.
 */
sealed interface Script {
  /** A command of Sortie, without {@code ./sortie}. */
  record Step(String id, String command) implements Script {}

  /** Its body for each of the values. */
  record Loop(String variable, List<String> values, List<Script> body) implements Script {
    public Loop {
      values = List.copyOf(values);
      body = List.copyOf(body);
    }
  }

  static Script step(String id, String command) {
    return new Step(id, command);
  }

  static Script loop(String variable, String values, Script... body) {
    return new Loop(variable, List.of(values.split(" ")), List.of(body));
  }

  /** The commands in their order. */
  default Stream<Run> runs() {
    return switch (this) {
      case Step s -> Stream.of(Run.of(s.id, s.command));
      case Loop l ->
          l.values.stream()
              .flatMap(
                  value -> l.body.stream().flatMap(s -> s.with("$" + l.variable, value).runs()));
    };
  }

  private Script with(String variable, String value) {
    return switch (this) {
      case Step s -> new Step(s.id.replace(variable, value), s.command.replace(variable, value));
      case Loop l ->
          new Loop(
              l.variable, l.values, l.body.stream().map(s -> s.with(variable, value)).toList());
    };
  }

  /** As a shell reads it, each line indented by {@code indent}. */
  default String shell(String indent) {
    return switch (this) {
      case Step s -> indent + "./sortie " + s.command + "\n";
      case Loop l -> {
        StringBuilder text = new StringBuilder();
        text.append(
            "%sfor %s in %s; do\n".formatted(indent, l.variable, String.join(" ", l.values)));
        l.body.forEach(s -> text.append(s.shell(indent + "  ")));
        yield text.append(indent).append("done\n").toString();
      }
    };
  }
}
