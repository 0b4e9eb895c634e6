package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.sortie.eetuning.Altered;
import dev.sortie.eetuning.calibrate.Calibrated;
import dev.sortie.eetuning.calibrate.ConformalRiskControl;
import dev.sortie.eetuning.calibrate.Risk;
import dev.sortie.eetuning.calibrate.ThresholdsFile;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.text.data.TokenDataset;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code add-exits}, {@code drop-exits} and {@code merge-exits}. */
class ExitsCommandsContractTest {
  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(shared);
  }

  @Test
  void addExitsWritesBothFilesAndSaysWhatTheyHold() {
    CommandLineRun run = tiny.run("add-exits --at 2 --out %s", temp.resolve("new")).succeeded();
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).contains("exit after layer 2: mlp, own head");
    assertThat(Altered.files(temp.resolve("new")))
        .containsExactly("exits.json", "exits.safetensors");
  }

  @Test
  void exitsCanBeDroppedAndMergedBackToTheSameTensors() {
    Path one = temp.resolve("one");
    Path two = temp.resolve("two");
    Path merged = temp.resolve("merged");
    drop(2, one).succeeded();
    drop(1, two).succeeded();
    CommandLineRun merge = merge(merged, two, one).succeeded();
    assertThat(merge.err()).contains("exit after layer 1", "exit after layer 2");
    assertThat(merged.resolve("exits.safetensors"))
        .hasSameBinaryContentAs(tiny.exits().resolve("exits.safetensors"));
  }

  @Test
  void mergeKeepsWhatEachFolderWasTunedWith() throws IOException {
    Path tuned = temp.resolve("a/exits");
    Path other = temp.resolve("b/exits");
    drop(2, temp.resolve("one")).succeeded();
    drop(1, other).succeeded();
    tiny.tune(temp.resolve("one"), tuned, "").succeeded();
    Path merged = temp.resolve("merged");
    merge(merged, tuned, other).succeeded();
    assertThat(Files.readString(merged.resolve("exits.json"))).contains("\"objective\": \"ce\"");
  }

  @Test
  void draftHeadsOfMergedExitsGetTheTokensOfTheData() {
    Path both = temp.resolve("both");
    tiny.run("add-exits --at 1,2 --draft-head 40 --seed 3 --out %s", both).succeeded();
    Path one = temp.resolve("one");
    Path two = temp.resolve("two");
    tiny.run("drop-exits --exits %s --at 2 --out %s", both, one).succeeded();
    tiny.run("drop-exits --exits %s --at 1 --out %s", both, two).succeeded();
    Path merged = temp.resolve("merged");
    merge(merged, one, two).succeeded();
    Path tuned = temp.resolve("tuned");
    Path expected = temp.resolve("expected");
    tiny.tune(merged, tuned, "").succeeded();
    tiny.tune(both, expected, "").succeeded();
    assertThat(tuned.resolve("exits.safetensors"))
        .hasSameBinaryContentAs(expected.resolve("exits.safetensors"));
  }

  @Test
  void matricesCanBeStoredInHalfTheSpace() throws IOException {
    Path half = temp.resolve("half");
    tiny.run("merge-exits --out %s --store bf16 %s", half, tiny.exits()).succeeded();
    try (Safetensors file = Safetensors.open(half.resolve("exits.safetensors"));
        Safetensors exact = Safetensors.open(tiny.exits().resolve("exits.safetensors"))) {
      assertThat(file.tensors().keySet()).isEqualTo(exact.tensors().keySet());
      for (String name : exact.tensors().keySet()) {
        Span stored = file.read(name);
        Span from = exact.read(name);
        assertThat(stored.dtype()).isEqualTo(name.contains("norm") ? DType.F32 : DType.BF16);
        for (int i = 0; i < from.length(); i++) {
          float x = element(from, i);
          assertThat(element(stored, i)).isCloseTo(x, offset(Math.abs(x) / 256));
        }
      }
    }
    Path again = temp.resolve("again");
    tiny.run("merge-exits --out %s --store bf16 %s", again, half).succeeded();
    for (String file : List.of("exits.json", "exits.safetensors")) {
      assertThat(again.resolve(file)).hasSameBinaryContentAs(half.resolve(file));
    }
    tiny.run("generate --prompt hen --max-tokens 4 --threshold 0.1 --exits %s", half).succeeded();
    tiny.run("merge-exits --out %s --store q8_0 %s", temp.resolve("other"), half)
        .assertRefused(2, "--store 'q8_0'", "f32 or bf16");
  }

  /** Thresholds hold for the weights that were calibrated, whatever drafts lie with them. */
  @Test
  void thresholdsAreCopiedWithTheExitsTheyWereCalibratedFor() throws IOException {
    Path from = temp.resolve("from");
    tiny.run("merge-exits --out %s %s", from, tiny.exits()).succeeded();
    Path file = from.resolve("thresholds.json");
    ThresholdsFile.write(
        file,
        new Calibrated(
            Sha256.of(from.resolve("exits.safetensors")),
            "f32",
            "exact",
            0,
            new TreeMap<>(Map.of(1, 0.5)),
            new Calibrated.Promise(
                Risk.DISAGREEMENT,
                new ConformalRiskControl(0.05),
                4,
                20,
                0.01,
                0.02,
                0.5,
                1.1,
                List.of("a.txt"))));
    Path same = temp.resolve("same");
    assertThat(tiny.run("merge-exits --out %s %s", same, from).succeeded().err())
        .doesNotContain("thresholds.json");
    assertThat(same.resolve("thresholds.json")).hasSameBinaryContentAs(file);
    Path fewer = temp.resolve("fewer");
    assertThat(tiny.run("drop-exits --exits %s --at 2 --out %s", from, fewer).succeeded().err())
        .contains("note: " + file + " is not copied", "run calibrate");
    assertThat(fewer.resolve("thresholds.json")).doesNotExist();
    Files.writeString(file, "{}");
    Path none = temp.resolve("none");
    tiny.run("merge-exits --out %s %s", none, from).assertRefused(1, file.toString(), "format");
    assertThat(none).doesNotExist();
  }

  private static float element(Span span, int i) {
    return span.dtype() == DType.F32
        ? span.segment().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i)
        : Float.intBitsToFloat(
            span.segment().getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i) << 16);
  }

  @Test
  void mergeRefusesTwoExitsAtOneDepthUnlessTold() {
    Path one = temp.resolve("one");
    Path merged = temp.resolve("merged");
    drop(2, one).succeeded();
    merge(merged, tiny.exits(), one)
        .assertRefused(1, tiny.exits().toString(), one.toString(), "depth 1", "--replace");
    assertThat(merged).doesNotExist();
    tiny.run("merge-exits --out %s --replace %s %s", merged, tiny.exits(), one).succeeded();
  }

  @Test
  void ngramsOfATextAreStoredWithTheExitsAndDraft() {
    Path text = temp.resolve("train.bin");
    int[] hens = new int[40];
    Arrays.setAll(hens, i -> 100 + i % 7);
    TokenDataset.write(Stream.of(hens), 250, text);
    Path with = temp.resolve("with");
    CommandLineRun run =
        tiny.run("merge-exits --out %s --ngrams %s --json %s", with, text, tiny.exits());
    assertThat(run.succeeded().err()).contains("n-grams for drafts: 14 of one or two tokens");
    assertThat(run.json().getInt("ngrams", 0, 100)).isEqualTo(14);
    assertThat(Altered.files(with))
        .containsExactly("exits.json", "exits.safetensors", "ngrams.safetensors");

    Path dropped = temp.resolve("dropped");
    tiny.run("drop-exits --exits %s --at 1 --out %s", with, dropped).succeeded();
    assertThat(dropped.resolve("ngrams.safetensors"))
        .hasSameBinaryContentAs(with.resolve("ngrams.safetensors"));

    String prompt = "generate --prompt hen --max-tokens 6 ";
    String full = tiny.run(prompt + "--strategy full").succeeded().out();
    String drafted = prompt + "--strategy speculative --draft ngrams --exits %s";
    assertThat(tiny.run(drafted, with).succeeded().out()).isEqualTo(full);
    tiny.run(drafted, tiny.exits()).assertRefused(1, "--draft ngrams", "merge-exits --ngrams");

    String early = prompt + "--threshold 1 --json --exits %s --draft ";
    assertThat(sources(tiny.run(early + "prompt-lookup,ngrams", with)))
        .containsExactly("prompt-lookup", "ngrams");
    assertThat(sources(tiny.run(early + "prompt-lookup", with))).containsExactly("prompt-lookup");
    tiny.run(early + "prompt-lookup,ngrams", tiny.exits())
        .assertRefused(1, "--draft ngrams", "merge-exits --ngrams");
  }

  private static Set<String> sources(CommandLineRun run) {
    return run.json().getObject("speculation").getObject("sources").fields().keySet();
  }

  @Test
  void ngramsOfTwoFoldersNeedAChoice() throws IOException {
    Path text = temp.resolve("train.bin");
    TokenDataset.write(Stream.of(new int[] {1, 2, 1, 2, 1, 2}), 250, text);
    Path one = temp.resolve("one");
    Path two = temp.resolve("two");
    Path merged = temp.resolve("merged");
    tiny.run("merge-exits --out %s --ngrams %s %s", one, text, tiny.exits()).succeeded();
    tiny.run("merge-exits --out %s --replace %s %s", two, one, tiny.exits()).succeeded();
    merge(merged, one, two).assertRefused(1, "depth 1", "--replace");
    tiny.run("merge-exits --out %s --replace %s %s", merged, one, two).succeeded();
    assertThat(merged.resolve("ngrams.safetensors"))
        .hasSameBinaryContentAs(one.resolve("ngrams.safetensors"));
    Path plain = Files.writeString(temp.resolve("plain.txt"), "hens and foxes");
    tiny.run("merge-exits --out %s --ngrams %s %s", temp.resolve("x"), plain, one)
        .assertRefused(1, "--ngrams " + plain, "no token file");
    TokenDataset.write(Stream.of(new int[] {1, 2}), 100_000, text);
    tiny.run("merge-exits --out %s --ngrams %s %s", temp.resolve("x"), text, one)
        .assertRefused(1, "ids below 100000, the model has");
  }

  private static CommandLineRun drop(int depth, Path out) {
    return tiny.run("drop-exits --exits %s --at %s --out %s", tiny.exits(), depth, out);
  }

  private static CommandLineRun merge(Path out, Path a, Path b) {
    return tiny.run("merge-exits --out %s %s %s", out, a, b);
  }
}
