package dev.sortie.nn.text;

import static dev.sortie.nn.text.HostileTokenizers.chain;
import static dev.sortie.nn.text.HostileTokenizers.digits;
import static dev.sortie.nn.text.HostileTokenizers.json;
import static dev.sortie.nn.text.HostileTokenizers.metaspace;
import static dev.sortie.nn.text.HostileTokenizers.replace;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Small files cannot make a tokenizer take much time or memory: a line names step and limit. */
@Tag("any-kernels")
class TokenizerBudgetContractTest {
  @TempDir private Path temp;

  private static void assertRefused(Runnable work, String message) {
    Cost.assertSmall(
        () ->
            assertThatThrownBy(work::run)
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("tokenizer.json: ")
                .hasMessageContaining(message)
                .message()
                .doesNotContain("\n"));
  }

  @Test
  void aNormalizerThatDoublesATextIsStopped() {
    SubwordTokenizer tokenizer =
        json().normalizer(chain("normalizers", 40, replace("n", "nn"))).read();
    assertRefused(
        () -> tokenizer.encode("n"),
        "normalizer step 17 makes a text of more than 65568 characters for a text of 1 characters; take another tokenizer");
    assertRefused(() -> tokenizer.encode("n".repeat(100_000)), "normalizer step 6 makes a text");
    assertThat(tokenizer.encode("abc")).containsExactly(1, 2, 3);
  }

  @Test
  void aNormalizerThatDoublesAddedTokensIsStoppedAtLoad() {
    assertRefused(
        () -> json().normalizer(chain("normalizers", 40, replace("n", "nn"))).added("nn").read(),
        "normalizer step 16 makes a text of more than 65600 characters for added_tokens of 2 characters");
    HostileTokenizers.JsonFile many =
        json().normalizer(chain("normalizers", 15, replace("n", "nn")));
    for (int i = 0; i < 1000; i++) {
      many.added("n" + i);
    }
    assertRefused(many::read, "makes texts of more than");
  }

  @Test
  void oneStepThatMakesMuchOfALittleIsStopped() {
    SubwordTokenizer tokenizer = json().normalizer(replace("n", "a".repeat(100_000))).read();
    assertRefused(() -> tokenizer.encode("n".repeat(100_000)), "makes a text of more than");
    SubwordTokenizer decoder = json().decoder(replace("n", "a".repeat(100_000))).read();
    assertRefused(() -> decoder.decode(new int[100_000]), "decoder step 1 makes a text");
  }

  @Test
  void aDecoderThatDoublesTokensIsStopped() {
    SubwordTokenizer tokenizer = json().decoder(chain("decoders", 40, replace("n", "nn"))).read();
    assertRefused(
        () -> tokenizer.decode(new int[] {0}),
        "decoder step 17 makes a text of more than 65568 characters for tokens of 1 characters");
    SubwordTokenizer fused =
        json()
            .decoder(
                chain(
                    "decoders",
                    1,
                    Map.of("type", "Fuse"),
                    chain("decoders", 40, replace("n", "nn"))))
            .read();
    assertRefused(() -> fused.decode(new int[] {0}), "decoder step 17 makes a text");
  }

  @Test
  void piecesThatGrowWhereTheyAreCutAreStopped() {
    SubwordTokenizer tokenizer =
        json().preTokenizer(chain("pretokenizers", 30, metaspace("a"), metaspace("b"))).read();
    assertRefused(() -> tokenizer.encode("n"), "pre_tokenizer step");
  }

  @Test
  void chainsHaveALimitAtLoad() {
    assertRefused(
        () -> json().preTokenizer(chain("pretokenizers", 20_000, digits())).read(),
        "pre_tokenizer.pretokenizers has 20000 steps, at most 256 are supported");
    assertRefused(
        () -> json().decoder(chain("decoders", 30_000, replace("x", "y"))).read(),
        "decoder.decoders has 30000 steps, at most 256");
    assertRefused(
        () -> json().normalizer(chain("normalizers", 257, replace("x", "y"))).read(),
        "normalizer.normalizers has 257 steps, at most 256");
    Object nested = chain("normalizers", 20, chain("normalizers", 20, replace("x", "y")));
    assertRefused(() -> json().normalizer(nested).read(), "has 400 steps, at most 256");
  }

  @Test
  void theLongestChainsThatAreAllowedEncodeAndDecode() {
    SubwordTokenizer tokenizer =
        json()
            .normalizer(chain("normalizers", 256, replace("x", "y")))
            .preTokenizer(chain("pretokenizers", 128, digits(), digits()))
            .decoder(chain("decoders", 256, replace("x", "y")))
            .read();
    String text = "abc".repeat(1000);
    Cost.assertSmall(() -> assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text));
  }

  @Test
  void longTokensThatAreNearlyThereAreStopped() {
    String near = "a".repeat(20_000);
    SubwordTokenizer tokenizer = json().added(near + "b", 6, false).read();
    assertRefused(() -> tokenizer.encode(near.repeat(2)), "takes more than");
    SubwordTokenizer unigram =
        HostileTokenizers.readModel(
            temp, HostileTokenizers.sentencePiece(HostileTokenizers.UNIGRAM, List.of("a", near)));
    Cost.assertSmall(
        () ->
            assertThatThrownBy(() -> unigram.encode(near.repeat(2)))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("takes more than"));
    assertThat(unigram.encode("aa")).endsWith(3, 3);
  }

  @Test
  void longPatternsAreSearchedInLinearTime() {
    String near = "a".repeat(100_000);
    SubwordTokenizer tokenizer =
        json()
            .normalizer(replace(near + "b", "c"))
            .decoder(chain("decoders", 1, Map.of("type", "Fuse"), replace(near + "b", "c")))
            .read();
    Cost.assertSmall(
        () -> {
          String text = near.repeat(3) + "n";
          assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
        });
    int[] ids = new int[100_003];
    Arrays.fill(ids, 1);
    ids[100_001] = 2;
    ids[100_002] = 0;
    assertThat(tokenizer.decode(ids)).isEqualTo("acn");
  }

  @Test
  void keysOfOneHashCodeAreAsGoodAsOthers() {
    List<String> colliding = HostileTokenizers.colliding(1 << 13);
    assertThat(colliding.stream().map(String::hashCode).distinct()).hasSize(1);
    SubwordTokenizer tokenizer = json().vocabulary(colliding).read();
    assertThat(tokenizer.id(colliding.getLast())).hasValue(colliding.size() - 1);
    HostileTokenizers.JsonFile added = json();
    colliding.forEach(added::added);
    assertThat(added.read().vocabSize()).isEqualTo(colliding.size() + 6);
  }

  @Test
  @Tag("slow")
  void aQuarterOfAMillionKeysOfOneHashCodeLoadInSeconds() {
    List<String> colliding = HostileTokenizers.colliding(1 << 18);
    HostileTokenizers.JsonFile file = json().vocabulary(colliding);
    long start = System.nanoTime();
    file.read();
    assertThat((System.nanoTime() - start) / 1e9).isLessThan(5);
  }

  @Test
  void longPiecesLoadInLinearTime() {
    List<String> pieces = List.of("a", "\u2581", "a".repeat(1 << 17));
    Cost.assertSmall(
        () ->
            HostileTokenizers.readModel(
                temp, HostileTokenizers.sentencePiece(HostileTokenizers.BPE, pieces)));
    Cost.assertSmall(() -> HostileTokenizers.readGguf(pieces));
  }

  @Test
  @Tag("slow")
  void piecesOfTenMegabytesLoadInSeconds() {
    List<String> pieces = List.of("a", "\u2581", "a".repeat(10 << 20));
    byte[] model = HostileTokenizers.sentencePiece(HostileTokenizers.BPE, pieces);
    long start = System.nanoTime();
    HostileTokenizers.readModel(temp, model);
    HostileTokenizers.readGguf(pieces);
    assertThat((System.nanoTime() - start) / 1e9).isLessThan(10);
  }

  @Test
  void aTokenWhoseBeginningsAreAllTokensHasItsMerges() {
    List<String> pieces = new ArrayList<>(List.of("\u2581"));
    for (int length = 1; length <= 40; length++) {
      pieces.add("a".repeat(length));
    }
    SubwordTokenizer tokenizer = HostileTokenizers.readGguf(pieces);
    assertThat(Fixtures.merges(tokenizer.spec()).size()).isEqualTo(40 * 39 / 2);
  }
}
