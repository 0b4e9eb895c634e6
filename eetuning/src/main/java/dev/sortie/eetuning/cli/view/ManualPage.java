package dev.sortie.eetuning.cli.view;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * What {@code --help} says of a command, as a page of the system's manual: roff with man macros.
 */
public final class ManualPage {
  private final CommandLine command;
  private final StringBuilder out = new StringBuilder();

  private ManualPage(CommandLine command) {
    this.command = command;
  }

  /**
   * The page of a command.
   *
   * @param version as {@code --version} prints it
   */
  public static String of(CommandLine command, String version) {
    return new ManualPage(command).page(version);
  }

  private String page(String version) {
    CommandSpec spec = command.getCommandSpec();
    String name = spec.qualifiedName("-");
    String[] description = spec.usageMessage().description();
    macro("TH", name.toUpperCase(java.util.Locale.ROOT), "1", "", version);
    macro("SH", "NAME");
    text(name + " - " + description[0]);
    macro("SH", "SYNOPSIS");
    text(command.getHelp().synopsis(0).replaceAll("\\s+", " ").strip());
    macro("SH", "DESCRIPTION");
    paragraphs(description);
    arguments(spec);
    commands();
    String[] footer = spec.usageMessage().footer();
    if (footer.length > 0) {
      macro("SH", "NOTES");
      paragraphs(footer);
    }
    return out.toString();
  }

  private void arguments(CommandSpec spec) {
    List<ArgSpec> all = new ArrayList<>(spec.positionalParameters());
    spec.options().stream()
        .filter(option -> !option.hidden())
        .sorted(java.util.Comparator.comparing(OptionSpec::longestName))
        .forEach(all::add);
    if (all.isEmpty()) {
      return;
    }
    macro("SH", "OPTIONS");
    for (ArgSpec argument : all) {
      macro("TP");
      String names = argument instanceof OptionSpec option ? String.join(", ", option.names()) : "";
      boolean takes = argument.arity().max() > 0;
      String label = takes ? argument.paramLabel() : "";
      text((names + " " + label).strip());
      text(
          String.join(" ", argument.description())
              .replace("${DEFAULT-VALUE}", String.valueOf(argument.defaultValue()))
              .replace("${COMPLETION-CANDIDATES}", candidates(argument)));
    }
  }

  private static String candidates(ArgSpec argument) {
    Iterable<String> words = argument.completionCandidates();
    return words == null
        ? ""
        : StreamSupport.stream(words.spliterator(), false).collect(Collectors.joining(", "));
  }

  private void commands() {
    if (command.getSubcommands().isEmpty()) {
      return;
    }
    macro("SH", "COMMANDS");
    command
        .getSubcommands()
        .forEach(
            (name, sub) -> {
              macro("TP");
              text(name);
              text(Ansi.OFF.string(sub.getCommandSpec().usageMessage().description()[0]).strip());
            });
  }

  private void paragraphs(String[] lines) {
    for (String line : lines) {
      if (!line.isBlank()) {
        macro("PP");
        text(line);
      }
    }
  }

  private void macro(String name, String... words) {
    out.append('.').append(name);
    for (String word : words) {
      out.append(" \"").append(escaped(word).replace("\"", "\\(dq")).append('"');
    }
    out.append('\n');
  }

  /** A line of text; one that begins like a macro gets a character of no width in front. */
  private void text(String line) {
    String safe = escaped(line.replaceAll("%n|\\s+", " ").replace("%%", "%").strip());
    out.append(safe.startsWith(".") || safe.startsWith("'") ? "\\&" : "").append(safe).append('\n');
  }

  private static String escaped(String text) {
    return text.replace("\\", "\\e").replace("-", "\\-");
  }
}
