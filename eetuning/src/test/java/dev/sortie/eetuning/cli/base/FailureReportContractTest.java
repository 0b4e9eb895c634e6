package dev.sortie.eetuning.cli.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A defect is one line for the user, and a file with what its report needs. */
@Tag("any-kernels")
class FailureReportContractTest {
  private static final Pattern LINE =
      Pattern.compile("sortie: internal error: (.*); please report it with the file (\\S+)\\R");

  /** A command with a defect. */
  @Command(name = "defect", version = "defect 1.2")
  static final class Defect implements Runnable {
    @Option(names = "--deep")
    private boolean deep;

    @Override
    public void run() {
      if (deep) {
        run();
      }
      throw new ArithmeticException("integer\noverflow");
    }
  }

  private static String line(String... words) {
    CommandLine line = CommandLines.of(new Defect());
    StringWriter err = new StringWriter();
    line.setErr(new PrintWriter(err, true));
    assertThat(line.execute(words)).isEqualTo(1);
    return err.toString();
  }

  @Test
  void anExceptionIsOneLineWithThePlaceOfTheReport() throws Exception {
    Matcher line = LINE.matcher(line());
    assertThat(line.matches()).isTrue();
    assertThat(line.group(1)).isEqualTo("java.lang.ArithmeticException: integer overflow");
    Path report = Path.of(line.group(2));
    try {
      assertThat(report)
          .content()
          .startsWith("defect 1.2\ncommand: \njava: ")
          .contains("\nflags: ", "\nsystem: ", "integer", Defect.class.getName());
    } finally {
      Files.delete(report);
    }
  }

  @Test
  void anErrorIsToo() throws Exception {
    Matcher line = LINE.matcher(line("--deep"));
    assertThat(line.matches()).isTrue();
    assertThat(line.group(1)).isEqualTo("java.lang.StackOverflowError");
    Path report = Path.of(line.group(2));
    assertThat(report).content().contains("command: --deep\n", "Defect.run");
    Files.delete(report);
  }
}
