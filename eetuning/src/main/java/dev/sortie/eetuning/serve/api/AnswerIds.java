package dev.sortie.eetuning.serve.api;

import java.util.UUID;

/** Names of answers and of parts of them. */
final class AnswerIds {
  private AnswerIds() {}

  static String next(String prefix) {
    return prefix + UUID.randomUUID().toString().replace("-", "");
  }
}
