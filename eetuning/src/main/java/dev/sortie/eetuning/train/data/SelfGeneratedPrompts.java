package dev.sortie.eetuning.train.data;

import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.TrainingText;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.tensor.Random;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What texts begin with that a model samples of itself. In turn: a question, asked through the
 * model's chat template; the template up to where a user speaks, so that the model asks and answers
 * (as in Magpie, arXiv 2406.08464); a few words out of a text file. A kind that cannot be had, for
 * want of a template or of files, leaves its turn to the others; without both, texts begin with the
 * first word of a question.
 */
final class SelfGeneratedPrompts implements ParallelSampler.Openings {
  private static final List<String> FORMS =
      List.of(
          "What is %s?",
          "Explain %s to a child.",
          "Write a short story about %s.",
          "Give me five tips about %s.",
          "Write a poem about %s.",
          "Why is %s important?",
          "How does %s work?",
          "Summarise the history of %s.",
          "Write an email to a friend about %s.",
          "What are the advantages and disadvantages of %s?",
          "Tell me something surprising about %s.",
          "Write a dialogue between two people about %s.",
          "List the main parts of %s.",
          "How can a beginner learn about %s?",
          "Compare %s with something similar.",
          "Write a short lesson plan on %s.",
          "What questions do people often ask about %s?",
          "Describe %s in one paragraph.",
          "Write instructions, step by step, for %s.",
          "What will %s be like in fifty years?");

  private static final List<String> TOPICS =
      List.of(
          "the moon",
          "bread",
          "bicycles",
          "the sea",
          "gardening",
          "music",
          "football",
          "computers",
          "the human heart",
          "volcanoes",
          "honey bees",
          "trains",
          "money",
          "friendship",
          "sleep",
          "electricity",
          "painting",
          "chess",
          "the Roman Empire",
          "rain",
          "cats",
          "mathematics",
          "cooking pasta",
          "mountains",
          "public libraries",
          "dreams",
          "the internet",
          "tea",
          "dinosaurs",
          "a healthy diet",
          "democracy",
          "snow",
          "photography",
          "the French language",
          "sorting a list in Python",
          "job interviews",
          "rivers",
          "solar power",
          "fairy tales",
          "running a marathon",
          "houseplants",
          "space travel",
          "vaccines",
          "writing letters",
          "the stock market",
          "ancient Egypt",
          "birds",
          "robots",
          "climate change",
          "whales",
          "learning the piano",
          "coffee",
          "time management",
          "kindness",
          "fractions",
          "a lighthouse",
          "the water cycle",
          "a lost dog",
          "theatre",
          "maps");

  /** Stands for a user's words, to find where they begin. */
  private static final String MARK = "0123456789";

  private static final int SHORTEST = 16;
  private static final int LONGEST = 48;

  private final Tokenizer tokenizer;
  private final Optional<ChatTemplate> template;
  private final Optional<int[]> userTurn;
  private final List<int[]> texts;
  private final Random random;

  /**
   * Openings for {@code model}.
   *
   * @param files texts to take words from, maybe none
   * @param random the seed and stream
   */
  SelfGeneratedPrompts(LanguageModel model, List<Path> files, Random random) {
    this.tokenizer = model.tokenizer();
    this.template = ChatTemplate.ofModel(model.path());
    this.userTurn = template.map(this::userTurn).filter(ids -> ids.length > 0);
    this.texts = new ArrayList<>();
    for (Path file : files) {
      int[] ids = tokenizer.encode(TrainingText.join(file), EncodeOptions.PLAIN);
      if (ids.length > LONGEST) {
        texts.add(ids);
      }
    }
    this.random = random;
  }

  private int[] userTurn(ChatTemplate t) {
    String text = t.render(List.of(ChatMessage.of("user", MARK)), ChatOptions.DEFAULT);
    int at = text.indexOf(MARK);
    return at < 1 ? new int[0] : tokenizer.encode(text.substring(0, at), special());
  }

  private static EncodeOptions special() {
    return new EncodeOptions(false, true);
  }

  @Override
  public int[] of(int row, int nth) {
    Random draw = random.stream(row).stream(nth);
    String question =
        FORMS.get(draw.below(0, FORMS.size())).formatted(TOPICS.get(draw.below(1, TOPICS.size())));
    int kind = Math.floorMod(row + nth, 6);
    // half of the texts are conversations, a third of these with the model's own questions
    if (template.isPresent() && (kind < 3 || texts.isEmpty())) {
      return kind == 2 && userTurn.isPresent()
          ? userTurn.get()
          : template
              .get()
              .encode(List.of(ChatMessage.of("user", question)), ChatOptions.DEFAULT, tokenizer);
    }
    if (texts.isEmpty()) {
      return Arrays.copyOf(tokenizer.encode(question), 1);
    }
    int[] text = texts.get(draw.below(2, texts.size()));
    int count = SHORTEST + draw.below(3, LONGEST - SHORTEST + 1);
    int at = draw.below(4, text.length - count);
    return Arrays.copyOfRange(text, at, at + count);
  }
}
