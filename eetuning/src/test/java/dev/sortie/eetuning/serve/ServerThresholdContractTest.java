package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.ExitAgreement;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.json.JsonObject;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A request that says how texts leave, and gives no threshold, takes the server's. */
class ServerThresholdContractTest {
  private static final String PROMPT = "The fox ran over the hill and";

  /** Below what the exits of the tiny model are sure of; the general default is far above. */
  private static final double LOW = 0.02;

  @TempDir private Path folder;

  private static ExitThresholds each(Map<Integer, Double> byDepth) {
    return new ExitThresholds(new TreeMap<>(byDepth));
  }

  private void check(ExitPolicy server, Map<String, ExitPolicy> expected)
      throws InterruptedException {
    try (TinyServer tiny = TinyServer.withPolicy(folder, server)) {
      int[] prompt = tiny.model.tokenizer().encode(PROMPT);
      expected.forEach(
          (sortie, policy) -> {
            RawClient.Answer answer =
                tiny.post(
                    "/v1/completions",
                    "{\"prompt\":\"%s\",\"max_tokens\":20,\"temperature\":0,\"sortie\":{\"trace\":true%s}}"
                        .formatted(PROMPT, sortie));
            assertThat(answer.status()).as(answer.body()).isEqualTo(200);
            Generation alone =
                tiny.alone(
                    prompt,
                    policy,
                    new GenerateOptions(20, SamplingOptions.GREEDY, List.of(), false));
            List<String> trace =
                answer.json().getObject("sortie").getObjects("trace").stream()
                    .map(ServerThresholdContractTest::left)
                    .toList();
            assertThat(trace)
                .as(sortie)
                .isEqualTo(
                    alone.tokens().stream().map(t -> t.id() + " " + depth(t.exit())).toList());
          });
    }
  }

  private static String left(JsonObject token) {
    return token.getLong("id", 0, 1000) + " " + token.fields().get("exit");
  }

  private static String depth(OptionalInt exit) {
    return exit.isPresent() ? String.valueOf(exit.getAsInt()) : "final";
  }

  @Test
  void oneForAllExits() throws InterruptedException {
    Map<String, ExitPolicy> expected = new LinkedHashMap<>();
    expected.put("", new MaxProbability(LOW));
    expected.put(",\"exits\":[3]", each(Map.of(3, LOW)));
    expected.put(",\"exits\":[3],\"threshold\":0.9", each(Map.of(3, 0.9)));
    expected.put(",\"policy\":\"max-probability\"", new MaxProbability(LOW));
    expected.put(",\"policy\":\"agreement\",\"patience\":1", new ExitAgreement(LOW, 1));
    check(new MaxProbability(LOW), expected);
  }

  @Test
  void oneForEachExit() throws InterruptedException {
    ExitThresholds server = each(Map.of(1, 0.9, 3, LOW));
    Map<String, ExitPolicy> expected = new LinkedHashMap<>();
    expected.put("", server);
    expected.put(",\"exits\":[3]", each(Map.of(3, LOW)));
    expected.put(",\"exits\":[1]", each(Map.of(1, 0.9)));
    expected.put(",\"policy\":\"max-probability\"", server);
    expected.put(",\"policy\":\"agreement\",\"patience\":1", new ExitAgreement(0.8, 1));
    check(server, expected);
  }

  @Test
  void theGeneralDefaultWhereTheServerNeverExits() throws InterruptedException {
    check(
        new MaxProbability(1),
        Map.of(
            "", new MaxProbability(1),
            ",\"exits\":[3]", each(Map.of(3, 0.8)),
            ",\"policy\":\"max-probability\"", new MaxProbability(0.8)));
  }
}
