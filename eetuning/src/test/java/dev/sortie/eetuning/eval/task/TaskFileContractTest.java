package dev.sortie.eetuning.eval.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TaskFileContractTest {
  @TempDir private Path temp;

  private Path file(String... lines) throws IOException {
    return Files.writeString(temp.resolve("animals.jsonl"), String.join("\n", lines));
  }

  @Test
  void linesAreItemsWithWhatTheyLeaveOut() throws IOException {
    Path file =
        file(
            "{\"context\": \"A cat says\", \"choices\": [\"moo\", \"meow\"], \"answer\": 1}",
            "",
            "{\"task\": \"qa\", \"id\": \"q1\", \"prompt\": \"Q: 1+1?\", \"references\": [\"2\"],"
                + " \"stop\": [\"\\n"
                + "\"], \"max_tokens\": 4}",
            "{\"prompt\": \"Once\"}");
    assertThat(TaskFile.read(file, 64))
        .containsExactly(
            new TaskItem.Choice("animals", "1", "A cat says", " ", List.of("moo", "meow"), 1),
            new TaskItem.Answer("qa", "q1", "Q: 1+1?", List.of("2"), List.of("\n"), 4),
            new TaskItem.Answer("animals", "3", "Once", List.of(), List.of(), 64));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"prompt\": 3}|field \"prompt\" is 3",
        "{\"prompt\": \"\"}|field \"prompt\"",
        "{\"promt\": \"a\"}|\"promt\"",
        "{\"prompt\": \"a\", \"stop\": [\"\"]}|field \"stop\"",
        "{\"prompt\": \"a\", \"max_tokens\": 0}|field \"max_tokens\" is 0",
        "{\"context\": \"a\", \"choices\": [\"b\"], \"answer\": 0}|field \"choices\"",
        "{\"context\": \"a\", \"choices\": [\"b\", \"c\"], \"answer\": 2}|from 0 to 1",
        "{\"choices\": [\"b\", \"c\"], \"answer\": 0}|field \"context\" is missing",
        "{\"prompt\": \"a\"|not strict JSON",
        "[]|expected a JSON object"
      })
  void aWrongLineIsNamedWithItsField(String line, String part) throws IOException {
    Path file = file("{\"prompt\": \"fine\"}", line);
    assertThatThrownBy(() -> TaskFile.read(file, 64))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(file + " line 2")
        .hasMessageContaining(part);
  }
}
