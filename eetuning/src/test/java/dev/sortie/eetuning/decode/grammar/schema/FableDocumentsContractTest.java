package dev.sortie.eetuning.decode.grammar.schema;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.eetuning.decode.grammar.TokenGrammar;
import dev.sortie.eetuning.decode.grammar.TokenVocabulary;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.host.EmbeddedFolder;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The embedded model has read stories and no JSON; its documents are valid all the same. */
@Tag("any-kernels")
class FableDocumentsContractTest {
  private static final JsonLimits LIMITS = new JsonLimits(1 << 20, 200, 1 << 20);
  private static final int TOKENS = 150;

  @Test
  void aModelThatKnowsNoJsonWritesValidDocumentsOrIsCut() {
    Random random = new Random(23);
    int documents = 0;
    try (Device device = Device.cpu(2);
        LanguageModel m = LanguageModel.load(EmbeddedFolder.FABLE.path(), Precision.FILE, device)) {
      List<Integer> ends = Prompt.endsOfAnswer(m);
      int vocab = m.config().decoder().vocab();
      TokenVocabulary vocabulary = new TokenVocabulary(m.tokenizer(), vocab, ends);
      int[] prompt = m.tokenizer().encode("Once upon a time there was");
      for (int i = 0; i < 24; i++) {
        Map<String, Object> schema = RandomSchemas.next(random, 2);
        JsonObject read = Json.parse("schema", Json.compact(schema), LIMITS);
        TokenGrammar grammar = new TokenGrammar(JsonSchema.grammar("schema", read), vocabulary);
        GenerateOptions options =
            new GenerateOptions(
                    TOKENS, new SamplingOptions(0.5 * (i % 4), 0, 1, 0, 1, i), List.of(), false)
                .with(grammar);
        try (FullDepth text = new FullDepth(m.decoder(), prompt.length + TOKENS, m.device())) {
          Generation g =
              new Generator(text, m.tokenizer(), ends, vocab).run(prompt, options, t -> {});
          if (g.finish().equals("stop")) {
            documents++;
            assertThat(RandomSchemas.allows(read, g.text()))
                .as("%s under %s", g.text(), read)
                .isTrue();
          } else {
            assertThat(g.finish()).isEqualTo("length");
            assertThat(g.tokens()).hasSize(TOKENS);
          }
        }
      }
    }
    assertThat(documents).isGreaterThan(12);
  }
}
