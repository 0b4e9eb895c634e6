package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.nn.InputException;
import dev.sortie.nn.text.EncodeOptions;
import java.util.ArrayList;
import java.util.List;

/** Texts to be read, in the forms that the API has for them. */
final class PromptFields {
  private static final int MOST = 1024;

  private PromptFields() {}

  /**
   * The ids of a field: of a text, of token ids, of a list of texts or of a list of lists of ids.
   *
   * @return at least one, none of them empty where the model has a token that begins a text
   */
  static List<int[]> of(RequestFields f, String name, ServedModel served) {
    Object given = f.raw(name);
    List<int[]> prompts = new ArrayList<>();
    switch (given) {
      case String s -> prompts.add(encode(s, name, served));
      case List<?> list when !list.isEmpty() && list.getFirst() instanceof Number ->
          prompts.add(ids(f, name, list, served));
      case List<?> list when !list.isEmpty() && list.size() <= MOST -> {
        for (Object item : list) {
          switch (item) {
            case String s -> prompts.add(encode(s, name, served));
            case List<?> ids -> prompts.add(ids(f, name, ids, served));
            case null, default -> throw f.wrong(name, "texts, or lists of token ids");
          }
        }
      }
      case null -> throw f.missing(name, "a text");
      default -> throw f.wrong(name, "a text, token ids, or a list of up to %d".formatted(MOST));
    }
    return prompts;
  }

  private static int[] encode(String text, String name, ServedModel served) {
    try {
      return Prompt.encode(served.model(), text, EncodeOptions.DEFAULT);
    } catch (InputException e) {
      throw ApiError.invalid(name, e.getMessage());
    }
  }

  /** Ids as they are given; the one that begins a text where there are none. */
  static int[] ids(RequestFields f, String name, List<?> list, ServedModel served) {
    int[] ids = new int[list.size()];
    for (int i = 0; i < ids.length; i++) {
      if (!(list.get(i) instanceof Long id) || id < 0 || id >= served.vocab()) {
        throw f.wrong(name, "token ids below " + served.vocab());
      }
      ids[i] = id.intValue();
    }
    return Prompt.orBos(served.model(), ids);
  }
}
