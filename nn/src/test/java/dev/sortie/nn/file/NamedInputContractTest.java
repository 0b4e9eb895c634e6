package dev.sortie.nn.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.nn.InputException;
import dev.sortie.nn.family.GenerationConfig;
import dev.sortie.nn.format.FormatCorpus;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.text.TextCorpus;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.nn.text.format.TokenizerJson;
import dev.sortie.nn.text.format.TokenizerModel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever can be read is read once, and no more of it than is allowed; a model's files are files.
 */
@Tag("any-kernels")
class NamedInputContractTest {
  private static final int LIMIT = 3 << 20;
  private static final Path STANDARD = Path.of("-");

  @TempDir private Path temp;

  private static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) (i * 31);
    }
    return bytes;
  }

  private static void withInput(InputStream in, Runnable body) {
    InputStream real = System.in;
    System.setIn(in);
    try {
      body.run();
    } finally {
      System.setIn(real);
    }
  }

  private Path fifo(byte[] content) throws IOException, InterruptedException {
    Path fifo = temp.resolve("fifo");
    makeFifo(fifo);
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                Files.write(fifo, content);
              } catch (IOException e) {
                // the reader has had enough of it
              }
            });
    return fifo;
  }

  private static void makeFifo(Path fifo) throws IOException, InterruptedException {
    Process made = new ProcessBuilder("mkfifo", fifo.toString()).start();
    assumeTrue(made.waitFor() == 0, "this system has no FIFOs");
  }

  @Test
  void aFileIsReadUpToTheLimit() throws IOException {
    Path file = Files.write(temp.resolve("file"), bytes(LIMIT));
    assertThat(NamedInput.read(file, LIMIT)).isEqualTo(bytes(LIMIT));
    assertThatThrownBy(() -> NamedInput.read(file, LIMIT - 1))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining("has " + LIMIT + " bytes, at most " + (LIMIT - 1));
    assertThat(NamedInput.read(Files.createFile(temp.resolve("empty")), LIMIT)).isEmpty();
  }

  @Test
  void aFifoIsReadUpToTheLimit() throws Exception {
    assertThat(NamedInput.read(fifo(bytes(LIMIT)), LIMIT)).isEqualTo(bytes(LIMIT));
    Files.delete(temp.resolve("fifo"));
    Path longer = fifo(bytes(LIMIT + 1));
    assertThatThrownBy(() -> NamedInput.read(longer, LIMIT))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(longer + ": ")
        .hasMessageContaining("at most " + LIMIT + " are allowed");
  }

  @Test
  void standardInputIsReadUpToTheLimitAndStaysOpen() {
    InputStream in =
        new ByteArrayInputStream(bytes(LIMIT)) {
          @Override
          public void close() {
            throw new AssertionError("standard input belongs to the process");
          }
        };
    withInput(in, () -> assertThat(NamedInput.read(STANDARD, LIMIT)).isEqualTo(bytes(LIMIT)));
    withInput(
        new ByteArrayInputStream(bytes(LIMIT + 1)),
        () ->
            assertThatThrownBy(() -> NamedInput.read(STANDARD, LIMIT))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("standard input: "));
    withInput(
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("Bad file descriptor");
          }
        },
        () ->
            assertThatThrownBy(() -> NamedInput.read(STANDARD, LIMIT))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("standard input cannot be read")
                .hasMessageContaining("Bad file descriptor"));
  }

  @Test
  void whatHasNoEndIsRefusedAtTheLimit() {
    Path endless = Path.of("/dev/zero");
    assumeTrue(Files.exists(endless), "this system has no /dev/zero");
    assertThatThrownBy(() -> NamedInput.read(endless, LIMIT))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("/dev/zero: ")
        .hasMessageContaining("at most " + LIMIT + " are allowed");
  }

  @Test
  void foldersAndWhatIsNotThereAreRefused() {
    assertThatThrownBy(() -> NamedInput.read(temp, LIMIT))
        .isInstanceOf(InputException.class)
        .hasMessage(temp + ": is a folder; name a file");
    Path absent = temp.resolve("absent");
    assertThatThrownBy(() -> NamedInput.read(absent, LIMIT))
        .isInstanceOf(InputException.class)
        .hasMessage(absent + ": no such file; check the path");
  }

  @Test
  void textsOfAPipeAreNamedInErrors() {
    withInput(
        new ByteArrayInputStream(new byte[] {'a', (byte) 0xe9}),
        () ->
            assertThatThrownBy(() -> TextFiles.read(STANDARD))
                .hasMessageStartingWith("standard input: byte 0xE9 at offset 1"));
    withInput(
        new ByteArrayInputStream(new byte[0]),
        () -> {
          assertThat(TextFiles.readAny(STANDARD)).isEmpty();
          assertThatThrownBy(() -> TextFiles.read(STANDARD))
              .hasMessageStartingWith("standard input: is empty");
        });
    withInput(
        new ByteArrayInputStream("{\"a\": 1".getBytes(StandardCharsets.UTF_8)),
        () ->
            assertThatThrownBy(() -> Json.readNamed(STANDARD))
                .hasMessageStartingWith("standard input: not strict JSON: line 1"));
  }

  @Test
  void onlyTheWordItselfIsStandardInput() {
    assertThat(NamedInput.isStandard(STANDARD)).isTrue();
    assertThat(NamedInput.isStandard(Path.of("./-"))).isFalse();
    assertThat(NamedInput.isStandard(Path.of("/tmp/-"))).isFalse();
  }

  @Test
  void filesOfAModelMustBeRegular() throws Exception {
    Path pipe = fifo(bytes(1));
    List<Consumer<Path>> readers =
        List.of(
            file -> InputFiles.readAll(file, LIMIT),
            Json::read,
            TokenizerJson::read,
            TokenizerModel::read,
            Sha256::of);
    for (Consumer<Path> reader : readers) {
      assertThatThrownBy(() -> reader.accept(pipe))
          .isInstanceOf(InputException.class)
          .hasMessage(pipe + ": is not a regular file; name a file");
    }
    assertThat(NamedInput.read(pipe, LIMIT)).hasSize(1); // nobody has taken its byte
  }

  private static void useAll(Path model) {
    try (ModelFiles files = ModelFiles.open(model)) {
      files.tokenizer();
    }
    GenerationConfig.eos(model, TextCorpus.vocab());
    ChatTemplate.ofModel(model);
  }

  /** Nobody writes into the FIFO: to open it would block. */
  @Test
  void eachFileOfAModelMustBeRegular() throws Exception {
    Path model = temp.resolve("model");
    FormatCorpus.folder(model, TextCorpus.tokenizers().getFirst(), TextCorpus.vocab());
    useAll(model);
    List<String> names = new ArrayList<>(List.of("chat_template.jinja"));
    try (Stream<Path> files = Files.list(model)) {
      files.map(file -> file.getFileName().toString()).sorted().forEach(names::add);
    }
    for (String name : names) {
      Path file = model.resolve(name);
      byte[] right = Files.exists(file) ? Files.readAllBytes(file) : null;
      Files.deleteIfExists(file);
      makeFifo(file);
      assertTimeoutPreemptively(
          Duration.ofSeconds(30),
          () ->
              assertThatThrownBy(() -> useAll(model))
                  .isInstanceOf(InputException.class)
                  .message()
                  .contains(file + ": ")
                  .contains("regular file")
                  .doesNotContain("\n"));
      Files.delete(file);
      if (right != null) {
        Files.write(file, right);
      }
    }
  }
}
