package dev.sortie.nn.text.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.format.GgufValue;
import dev.sortie.nn.format.Utf8Strings;
import dev.sortie.nn.text.Fixtures;
import dev.sortie.nn.text.HostileTokenizers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A vocabulary of bytes answers as one of strings does. */
@Tag("any-kernels")
class Utf8IndexContractTest {
  private static final String FILE = "a.gguf";

  @Test
  void everyTokenOfARealVocabularyIsFoundByItsTextAndByItsBytes() {
    List<String> tokens = Fixtures.tokenizer("smollm").spec().vocabulary().tokens();
    assertThat(tokens).hasSizeGreaterThan(300).doesNotContainNull();
    Utf8Strings utf8 = utf8(tokens);
    Vocabulary vocabulary = new Vocabulary(FILE, utf8);
    assertThat(vocabulary.size()).isEqualTo(tokens.size());
    for (int id = 0; id < tokens.size(); id++) {
      assertThat(vocabulary.token(id)).isEqualTo(tokens.get(id));
      assertThat(vocabulary.id(tokens.get(id))).isEqualTo(id);
      assertThat(vocabulary.id(utf8.bytes(), utf8.start(id), utf8.end(id))).isEqualTo(id);
      byte[] longer = (tokens.get(id) + "\u0001").getBytes(StandardCharsets.UTF_8);
      assertThat(vocabulary.id(longer, 0, longer.length)).isEqualTo(-1);
    }
  }

  @Test
  void noTextHasTheIdOfAnother() {
    Vocabulary vocabulary = new Vocabulary(FILE, utf8(List.of("?", "", "a", "\0", "\0\0")));
    assertThat(vocabulary.id("\ud800")).as("half of a pair, which has no UTF-8").isEqualTo(-1);
    assertThat(vocabulary.id("?")).isZero();
    assertThat(vocabulary.id("")).isEqualTo(1);
    assertThat(vocabulary.id("\0")).isEqualTo(3);
    assertThat(vocabulary.id("\0\0")).isEqualTo(4);
    assertThat(vocabulary.id("b")).isEqualTo(-1);
    assertThat(vocabulary.token(5)).isNull();
    assertThat(vocabulary.token(-1)).isNull();
  }

  /** If they all fell on one place, this would take minutes. */
  @Test
  @Timeout(30)
  void tokensOfOneHashCodeDoNotShareAPlace() {
    List<String> tokens = HostileTokenizers.colliding(300_000);
    assertThat(tokens.stream().map(String::hashCode).distinct()).hasSize(1);
    Vocabulary vocabulary = new Vocabulary(FILE, utf8(tokens));
    assertThat(vocabulary.id(tokens.getLast())).isEqualTo(299_999);
  }

  @Test
  void aVocabularyOfNothingHasNothing() {
    assertThat(new Vocabulary(FILE, utf8(List.of())).id("a")).isEqualTo(-1);
  }

  @Test
  void aTokenThatComesTwiceIsRefusedInTheSameWords() {
    List<String> tokens = List.of("a", "é", "b", "é");
    String said = "a.gguf: model.vocab has \"é\" as id 1 and as id 3";
    assertThatThrownBy(() -> new Vocabulary(FILE, tokens))
        .isInstanceOf(InputException.class)
        .hasMessage(said);
    assertThatThrownBy(() -> new Vocabulary(FILE, utf8(tokens)))
        .isInstanceOf(InputException.class)
        .hasMessage(said);
  }

  @Test
  void mergesOfBytesAreThoseOfStrings() {
    Vocabulary strings = Fixtures.tokenizer("smollm").spec().vocabulary();
    assertMergesOfBytes(strings, new Vocabulary(FILE, utf8(strings.tokens())));
    assertMergesOfBytes(strings, strings);
  }

  /** The merges of a fixture, added by their bytes to a table for one of its vocabularies. */
  private static void assertMergesOfBytes(Vocabulary strings, Vocabulary vocabulary) {
    MergeTable expected = Fixtures.merges(Fixtures.tokenizer("smollm").spec());
    MergeTable.Builder builder = new MergeTable.Builder(FILE, vocabulary, 1);
    for (int rank = 0; rank < expected.size(); rank++) {
      byte[] left = strings.token(expected.left(rank)).getBytes(StandardCharsets.UTF_8);
      byte[] both =
          (strings.token(expected.left(rank)) + " " + strings.token(expected.right(rank)))
              .getBytes(StandardCharsets.UTF_8);
      builder.add(both, 0, left.length, left.length + 1, both.length);
    }
    MergeTable merges = builder.build();
    assertThat(merges.size()).isEqualTo(expected.size()).isGreaterThan(100);
    for (int rank = 0; rank < expected.size(); rank++) {
      assertThat(merges.left(rank)).isEqualTo(expected.left(rank));
      assertThat(merges.right(rank)).isEqualTo(expected.right(rank));
      assertThat(merges.result(rank)).isEqualTo(expected.result(rank));
      assertThat(merges.rank(expected.left(rank), expected.right(rank))).isEqualTo(rank);
    }
  }

  @Test
  void aMergeOfAnUnknownTokenIsNamed() {
    MergeTable.Builder builder =
        new MergeTable.Builder(FILE, new Vocabulary(FILE, utf8(List.of("a", "b"))), 1);
    assertThatThrownBy(() -> builder.add("a b".getBytes(StandardCharsets.UTF_8), 0, 1, 2, 3))
        .isInstanceOf(InputException.class)
        .hasMessage("a.gguf: model.merges[0] needs \"ab\", not in model.vocab");
  }

  private static Utf8Strings utf8(List<String> strings) {
    return GgufValue.Array.of(strings).strings();
  }
}
