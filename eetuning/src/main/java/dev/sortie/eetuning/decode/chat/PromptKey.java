package dev.sortie.eetuning.decode.chat;

import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.text.chat.ChatTemplate;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What decides the ids of a prompt and where an answer ends, by name, for keys of what a model
 * wrote: the hash of its weights says nothing of these.
 */
public final class PromptKey {
  private static final String TOKENIZER = "tokenizer_sha256";
  private static final String TEMPLATE = "chat_template_sha256";
  private static final String ENDS = "end_ids";

  /** The names. */
  public static final Set<String> FIELDS = Set.of(TOKENIZER, TEMPLATE, ENDS);

  private PromptKey() {}

  /**
   * The values.
   *
   * @param asks whether conversations are written down by the model's chat template
   */
  public static Map<String, Object> of(LanguageModel m, boolean asks) {
    Map<String, Object> key = new LinkedHashMap<>();
    key.put(TOKENIZER, ModelFiles.tokenizerSha256(m.path()));
    if (asks) {
      Optional<ChatTemplate> template = ChatTemplate.ofModel(m.path());
      key.put(TEMPLATE, template.map(ChatTemplate::sha256).orElse("none"));
    }
    key.put(ENDS, Prompt.endsOfAnswer(m));
    return key;
  }
}
