package dev.sortie.eetuning.decode.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.decode.single.PrefixReuse;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Conversations whose messages are read while they are typed. */
class LivePromptContractTest {
  private static final int CONTEXT = 900;
  private static final int TURNS = 6;
  private static final String TEMPLATE =
      "{% for m in messages %}{{ m.role }}: {{ m.content | trim }}\n{% endfor %}"
          + "{% if add_generation_prompt %}assistant:{% endif %}";
  private static final GenerateOptions OPTIONS =
      new GenerateOptions(12, new SamplingOptions(0.8, 0, 1, 0, 1.1, 5), List.of(), true);

  @TempDir private static Path folder;

  private static Device device;
  private static LanguageModel model;

  @BeforeAll
  static void load() {
    device = Device.cpu(2);
    Path files = TinyModel.write(folder.resolve("model"), 3, 16, 290, CONTEXT, 1);
    model = LanguageModel.load(files, Precision.F32, device);
  }

  @AfterAll
  static void close() {
    model.close();
    device.close();
  }

  private static DecodingStrategy strategy() {
    return new FullDepth(model.decoder(), CONTEXT, device);
  }

  private static Conversation conversation() {
    return new Conversation(
        model,
        ChatTemplate.of(TEMPLATE, "template", Map.of()),
        ChatOptions.DEFAULT,
        OPTIONS,
        PrefixReuse.exact(strategy(), CONTEXT));
  }

  private static Generation alone(int[] prompt) {
    try (DecodingStrategy fresh = strategy()) {
      return new Generator(fresh, model.tokenizer(), List.of(), model.config().decoder().vocab())
          .run(prompt, OPTIONS, t -> {});
    }
  }

  /** Typed with mistakes: characters appended, deleted and put in the middle. */
  private static String edited(String text, Random random) {
    int at = random.nextInt(TinyModel.TEXT.length() - 30);
    String more = TinyModel.TEXT.substring(at, at + 1 + random.nextInt(29));
    int place = random.nextInt(text.length() + 1);
    return switch (random.nextInt(6)) {
      case 0 -> text.substring(0, place);
      case 1 -> text.substring(0, place) + more + text.substring(place);
      default -> text + more;
    };
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  @Timeout(120)
  void eachAnswerHasTheBitsOfOneToTheWholeConversation(long seed) throws InterruptedException {
    Random random = new Random(seed);
    int reused = 0;
    try (Conversation conversation = conversation();
        LivePrompt live = conversation.live()) {
      conversation.begin(seed == 1 ? "" : TinyModel.TEXT);
      for (int turn = 0; turn < TURNS; turn++) {
        String text = "";
        for (int edit = 3 + random.nextInt(8); edit > 0; edit--) {
          text = edited(text, random);
          live.typed(text);
          Thread.sleep(random.nextInt(6));
        }
        live.settle();
        Generation found = conversation.say(text, t -> {}, () -> false);
        reused += conversation.reused();
        Generation expected = alone(found.promptIds());
        assertThat(found.tokens()).as("turn %d", turn).isEqualTo(expected.tokens());
        assertThat(found.text()).isEqualTo(expected.text());
      }
    }
    assertThat(reused).isPositive();
  }

  @Test
  @Timeout(60)
  void onlyTheEndIsLeftToReadOnceAllWasTyped() {
    String message = TinyModel.TEXT + TinyModel.TEXT;
    try (Conversation conversation = conversation();
        LivePrompt live = conversation.live()) {
      int pieces = 0;
      for (int i = 0; i < message.length(); i += 7) {
        while (live.readPiece(message.substring(0, i))) {
          pieces++;
        }
      }
      assertThat(pieces).isGreaterThan(2);
      Generation answer = conversation.say(message, t -> {}, () -> false);
      int read = answer.promptIds().length - conversation.reused();
      // fewer than 17 were unread, 7 characters not typed or in a token that might have grown, and
      // after them the turn ends
      int end = model.tokenizer().encode(message.substring(message.length() - 20)).length;
      assertThat(read).isBetween(17, 16 + end + model.tokenizer().encode("\nassistant:").length);
    }
  }

  @Test
  void whatCannotBePromptedIsNotRead() {
    try (PrefixReuse cache = PrefixReuse.exact(strategy(), CONTEXT);
        LivePrompt live =
            new LivePrompt(
                cache,
                text -> {
                  throw new InputException("the template refuses " + text);
                })) {
      live.typed("The hen");
      live.settle();
      assertThat(cache.position()).isZero();
    }
  }

  /** A pass that fails is reported where the prompt is used. */
  @Test
  void aFailureIsNotLost() {
    DecodingStrategy broken =
        new DecodingStrategy() {
          @Override
          public Step prefill(int[] prompt) {
            throw new IllegalStateException("no pass");
          }

          @Override
          public Step next(int token) {
            throw new IllegalStateException("no pass");
          }

          @Override
          public int position() {
            return 0;
          }

          @Override
          public void rewind(int count) {}

          @Override
          public void close() {}
        };
    try (LivePrompt live =
        new LivePrompt(PrefixReuse.exact(broken, CONTEXT), model.tokenizer()::encode)) {
      live.typed(TinyModel.TEXT);
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 1000; i++) {
                  Thread.sleep(5); // settled before its pass begins, it does not fail
                  live.settle();
                  live.typed(TinyModel.TEXT);
                }
              })
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("no pass");
    }
  }
}
