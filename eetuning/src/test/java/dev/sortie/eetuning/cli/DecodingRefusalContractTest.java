package dev.sortie.eetuning.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What is wrong with decoding gives one line that names it, and leaves no file behind. */
class DecodingRefusalContractTest extends RefusedCommands {
  private static final String TEMPLATE =
      "--chat-template, --tools and --template-variable need --messages FILE";

  @TestFactory
  Stream<DynamicTest> wrongGeneration() throws IOException {
    Path latin = Files.write(temp.resolve("latin"), new byte[] {'a', (byte) 0xe9, 'b'});
    String g = "generate --threads 1 --model %s ";
    return Stream.of(
        refused(
            "threshold",
            generate(model, "--threshold 2 --exits " + exits),
            2,
            "--threshold 2.0",
            "0 to 1"),
        refused("threshold without exits", generate(model, "--threshold 0.5"), 2, "need --exits"),
        refused("policy without exits", generate(model, "--exit-policy margin"), 2, "need --exits"),
        refused("patience without exits", generate(model, "--patience 2"), 2, "need --exits"),
        refused(
            "patience of another policy",
            generate(model, "--patience 2 --exits " + exits),
            2,
            "--patience 2 needs --exit-policy agreement"),
        refused(
            "probe threshold of another policy",
            generate(model, "--probe-threshold 0.5 --exit-policy margin --exits " + exits),
            2,
            "--probe-threshold 0.5 needs --exit-policy probe"),
        refused(
            "timeout of no cloud",
            generate(model, "--cloud-timeout 5"),
            2,
            "--cloud-timeout 5 needs --edge N"),
        refused(
            "threshold of drafts without exits",
            generate(model, "--strategy speculative --threshold 0.5"),
            2,
            "--threshold, --exit-policy, --patience, --probe-threshold and --max-pending need --exits DIR"),
        refused("max tokens", generate(model, "--max-tokens 0"), 2, "--max-tokens 0"),
        refused(
            "most tokens",
            generate(model, "--max-tokens 2147483647"),
            1,
            "--max-tokens 2147483647",
            "context"),
        refused(
            "grace",
            words("launch --nproc 1 --grace -1 -- true"),
            2,
            "--grace of -1.0 s is less than 0"),
        refused(
            "too long",
            generate(model, "--max-tokens 200"),
            1,
            "--max-tokens 200",
            "context of 48"),
        refused(
            "prompt too long",
            words(g + "--max-tokens 1 --prompt %s", model, "fox_".repeat(100)),
            1,
            "tokens",
            "context of 48"),
        refused("temperature", generate(model, "--temperature -1"), 2, "--temperature -1.0"),
        refused("device", generate(model, "--device gpu"), 2, "\"gpu\" is none of cpu"),
        refused("strategy", generate(model, "--strategy magic"), 2, "--strategy 'magic'", "full"),
        refused("no exits", generate(model, "--strategy early-exit"), 2, "--exits"),
        refused(
            "active depth",
            generate(model, "--max-tokens 4 --active 5 --exits " + exits),
            1,
            "layer 5",
            "[1"),
        refused(
            "active list",
            generate(model, "--max-tokens 4 --active 1,x --exits " + exits),
            2,
            "--active '1,x'"),
        refused("active alone", generate(model, "--active all"), 2, "--active", "--exits"),
        refused("exits of nothing", words("doctor --exits %s", exits), 2, "--exits", "--model"),
        refused(
            "draft",
            generate(model, "--strategy speculative --draft magic"),
            2,
            "--draft 'magic'",
            "prompt-lookup"),
        refused(
            "draft twice",
            generate(model, "--strategy speculative --draft prompt-lookup,prompt-lookup"),
            2,
            "prompt-lookup twice"),
        refused(
            "draft without exits",
            generate(model, "--strategy speculative --draft early-exit"),
            2,
            "--draft early-exit needs --exits"),
        refused(
            "draft at full depth",
            generate(model, "--strategy full --draft prompt-lookup"),
            2,
            "--strategy speculative"),
        refused(
            "threshold at full depth",
            generate(model, "--strategy full --threshold 0.5 --exits " + exits),
            2,
            "--threshold needs --strategy early-exit or speculative"),
        refused(
            "policy of drafts",
            generate(model, "--strategy speculative --exit-policy margin --exits " + exits),
            2,
            "--exit-policy",
            "need --strategy early-exit, not speculative"),
        refused("pending alone", generate(model, "--max-pending 3"), 2, "--max-pending", "--exits"),
        refused(
            "pending",
            generate(model, "--max-tokens 4 --max-pending 16 --exits " + exits),
            2,
            "16",
            "0 to 15"),
        refused("threads of doctor", words("doctor --threads 0"), 2, "--threads 0 is outside"),
        refused("ranks", generate(model, "--tp 65536 --pp 65536"), 2, "65536 must be at most 1024"),
        refused("ranks below 1", generate(model, "--tp -65536 --pp 65536"), 2, "--tp -65536"),
        refused("rounds of demo", words("demo --rounds 1001 --out %s", absent), 2, "--rounds 1001"),
        refused(
            "rounds of eval",
            words("eval --model %s --text %s --rounds 1001 --out %s", model, data, absent),
            2,
            "--rounds 1001 is outside 1 to 1000"),
        refused(
            "threads",
            words("generate --threads 0 --model %s --prompt a", model),
            2,
            "--threads 0"),
        refused("template alone", generate(model, "--chat-template " + data), 2, TEMPLATE),
        refused("tools alone", generate(model, "--tools " + data), 2, TEMPLATE),
        refused("variable alone", generate(model, "--template-variable a=b"), 2, TEMPLATE),
        refused(
            "variable of lines",
            words(g + "--prompts %s --template-variable a=b", model, data),
            2,
            TEMPLATE),
        refused("no prompt", words(g, model), 2, "--prompt TEXT", "not none"),
        refused(
            "two prompts",
            generate(model, "--prompt-file " + data),
            2,
            "give one of --prompt TEXT, --prompt-file FILE, --prompts FILE and --messages FILE, not several"),
        refused(
            "no such prompt file",
            words(g + "--prompt-file %s", model, absent),
            1,
            absent,
            "no such file"),
        refused(
            "prompt not UTF-8", words(g + "--prompt-file %s", model, latin), 1, latin, "UTF-8"));
  }

  @TestFactory
  Stream<DynamicTest> wrongServing() {
    Path missing = temp.resolve("missing"); // which is not looked at
    return Stream.of(
        refused(
            "no connections",
            words("serve --model %s --max-connections 0", missing),
            2,
            "--max-connections 0 is outside 1 to"),
        refused(
            "no body",
            words("serve --model %s --max-body 0", missing),
            2,
            "--max-body 0 is outside 1024 to"),
        refused(
            "no texts",
            words("serve --model %s --parallel 0", missing),
            2,
            "--parallel 0 is outside 1 to 4096"),
        refused(
            "no cache",
            words("serve --model %s --cache-tokens 1", missing),
            2,
            "--cache-tokens 1 is too few"),
        refused(
            "a host with a scheme",
            words("serve --model %s --allowed-host https://llm.example.com", model),
            2,
            "--allowed-host https://llm.example.com",
            "not a host name"));
  }
}
