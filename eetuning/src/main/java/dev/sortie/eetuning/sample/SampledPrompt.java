package dev.sortie.eetuning.sample;

import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A prompt that texts are sampled for.
 *
 * @param number of the prompt, from 0
 * @param system the system message
 * @param example a question with its answer that stand before the question
 * @param question what the model is asked; empty where it is to continue the opening alone
 * @param opening what the text begins with, maybe nothing
 * @param must words that the text is to have
 */
record SampledPrompt(
    long number,
    Optional<String> system,
    Optional<Example> example,
    String question,
    String opening,
    List<String> must) {

  /** An earlier turn. */
  record Example(String question, String answer) {}

  SampledPrompt {
    must = List.copyOf(must);
  }

  /**
   * The ids that the text follows.
   *
   * @param template of the model; may be null where nothing is asked
   */
  int[] ids(LanguageModel model, ChatTemplate template) {
    if (question.isEmpty()) {
      return Prompt.encode(model, opening, EncodeOptions.DEFAULT);
    }
    List<ChatMessage> turns = new ArrayList<>();
    system.ifPresent(text -> turns.add(ChatMessage.of("system", text)));
    example.ifPresent(
        e -> {
          turns.add(ChatMessage.of("user", e.question()));
          turns.add(ChatMessage.of("assistant", e.answer()));
        });
    turns.add(ChatMessage.of("user", question));
    int[] asked = template.encode(turns, ChatOptions.DEFAULT, model.tokenizer());
    int[] begun = model.tokenizer().encode(opening, EncodeOptions.PLAIN);
    int[] ids = Arrays.copyOf(asked, asked.length + begun.length);
    System.arraycopy(begun, 0, ids, asked.length, begun.length);
    return ids;
  }
}
