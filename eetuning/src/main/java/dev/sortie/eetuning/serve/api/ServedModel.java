package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.serve.engine.TextEngine;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.chat.ChatTemplate;
import java.util.Optional;

/**
 * What is served.
 *
 * @param name how requests name it
 * @param engine computes for all requests
 * @param template how conversations are written down, where the model says so
 * @param policy when texts leave at an exit, where a request does not say
 * @param maxTokens tokens of an answer at most, where a request does not say
 * @param created when it was loaded, in seconds since 1970
 */
public record ServedModel(
    String name,
    TextEngine engine,
    Optional<ChatTemplate> template,
    ExitPolicy policy,
    int maxTokens,
    long created) {
  /** The confidence at which exits are taken where nobody gives another. */
  public static final double THRESHOLD = 0.8;

  LanguageModel model() {
    return engine.model();
  }

  Exits exits() {
    return engine.exits();
  }

  int vocab() {
    return model().config().decoder().vocab();
  }

  /** Refuses a request for another model; one that names none means this. */
  void check(RequestFields fields) {
    fields
        .string("model")
        .filter(asked -> !asked.equals(name))
        .ifPresent(
            asked -> {
              throw ApiError.noModel(asked, name);
            });
  }

  /**
   * Tokens that an answer may have: as many as were asked for, as far as there is room after the
   * prompt.
   */
  int answer(int[] prompt, int asked, String param) {
    int room = engine.room() - prompt.length + 1; // the last token is never read
    if (room < 1) {
      throw ApiError.tooLong(
          param,
          "%s: %d tokens, and there is room for %d with an answer; give fewer"
              .formatted(param, prompt.length, engine.room()));
    }
    return Math.min(asked, room);
  }
}
