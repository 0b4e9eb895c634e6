package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.edge.EdgeGeneration;
import dev.sortie.eetuning.decode.edge.EdgeToken;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A generation as JSON has it. */
public final class GenerationJson {
  private GenerationJson() {}

  public static Map<String, Object> of(Generation g) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("prompt_ids", Arrays.stream(g.promptIds()).boxed().toList());
    root.put("tokens", tokens(g));
    root.put("text", g.text());
    root.put("finish", g.finish());
    root.put("timing", timing(g.prefillTokensPerSecond(), g.decodeTokensPerSecond()));
    return root;
  }

  /** A text that edge and cloud have written: who decided each token, and what that took. */
  public static Map<String, Object> of(EdgeGeneration g) {
    Map<String, Object> root = of(g.text());
    List<Map<String, Object>> tokens = tokens(g.text());
    for (int i = 0; i < tokens.size(); i++) {
      tokens.get(i).put("decided_by", g.by().get(i).word());
    }
    root.put("tokens", tokens);
    Map<String, Object> edge = new LinkedHashMap<>();
    edge.put("edge_tokens", g.count(EdgeToken.EDGE));
    edge.put("cloud_tokens", g.count(EdgeToken.CLOUD));
    edge.put("alone_tokens", g.count(EdgeToken.ALONE));
    edge.put("round_trips", g.roundTrips());
    edge.put("bytes_sent", g.sent());
    edge.put("bytes_received", g.received());
    edge.put("exact", g.exact());
    g.lost().ifPresent(why -> edge.put("lost", why));
    root.put("edge", edge);
    return root;
  }

  /**
   * One answer of a conversation.
   *
   * @param reused tokens of its prompt that were not read again
   * @param firstToken seconds from the end of the message to the first token
   */
  public static Map<String, Object> answer(Generation g, int reused, double firstToken) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("role", "assistant");
    root.put("content", g.text());
    root.put("finish", g.finish());
    root.put("prompt_tokens", g.promptIds().length);
    root.put("reused_tokens", reused);
    root.put("tokens", tokens(g));
    double prefill = (g.promptIds().length - reused) / g.prefillSeconds();
    Map<String, Object> timing = timing(prefill, g.decodeTokensPerSecond());
    timing.put("first_token_seconds", firstToken);
    root.put("timing", timing);
    return root;
  }

  /** What speculation did. */
  public static Map<String, Object> speculation(SpeculationReport report) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("passes", report.passes());
    root.put("rows", report.rows());
    Map<String, Object> sources = new LinkedHashMap<>();
    report
        .sources()
        .forEach(
            (name, g) -> {
              Map<String, Object> counts = new LinkedHashMap<>();
              counts.put("verified", g.verified());
              counts.put("accepted", g.accepted());
              sources.put(name, counts);
            });
    root.put("sources", sources);
    return root;
  }

  private static Map<String, Object> timing(double prefill, double decode) {
    Map<String, Object> timing = new LinkedHashMap<>();
    timing.put("prefill_tokens_per_second", prefill);
    timing.put("decode_tokens_per_second", decode);
    return timing;
  }

  private static List<Map<String, Object>> tokens(Generation g) {
    return g.tokens().stream().map(GenerationJson::trace).toList();
  }

  private static Map<String, Object> trace(GeneratedToken t) {
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("id", t.id());
    one.put("text", t.text());
    one.put("exit", t.exit().isPresent() ? t.exit().getAsInt() : "final");
    one.put("confidence", t.confidence());
    one.put("source", t.draft().map(name -> "draft:" + name).orElse("model"));
    return one;
  }
}
