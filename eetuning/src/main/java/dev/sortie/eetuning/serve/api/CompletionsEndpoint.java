package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.batch.PromptScores;
import dev.sortie.eetuning.decode.batch.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * {@code /v1/completions}. With {@code echo} and {@code logprobs} each token of the prompt has its
 * probability, which is what evaluation harnesses ask for.
 *
 * @param answers sends what is generated
 * @param grammars of answers that must have a form
 */
record CompletionsEndpoint(ServedModel served, TextAnswer.Maker answers, Grammars grammars)
    implements ApiEndpoint {
  /** What the OpenAI API has. */
  private static final int USUAL_TOKENS = 16;

  private static final int MOST_ALTERNATIVES = 20;

  @Override
  public void answer(ApiRequest request) throws InterruptedException {
    RequestFields f = request.fields();
    served.check(f);
    SamplingFields sampling = SamplingFields.of(f, served.vocab());
    refuseWhatIsNotThere(f, sampling);
    List<int[]> prompts = PromptFields.of(f, "prompt", served);
    AnswerForm form = AnswerForm.of(f, grammars);
    DecodingFields decoding = DecodingFields.of(f, served);
    OptionalInt logprobs = f.integer("logprobs", 0, MOST_ALTERNATIVES);
    boolean echo = f.flag("echo");
    int asked = f.integer("max_tokens", 0, Integer.MAX_VALUE).orElse(USUAL_TOKENS);
    boolean streamed = f.flag("stream");
    boolean usage = StreamEnd.hasUsage(f, streamed);
    List<Request> requests = new ArrayList<>();
    List<CompletionText> texts = new ArrayList<>();
    for (int[] prompt : prompts) {
      int tokens = served.answer(prompt, Math.max(1, asked), "prompt");
      for (int i = 0; i < sampling.choices(); i++) {
        Optional<PromptScores> scores =
            echo && logprobs.isPresent()
                ? Optional.of(
                    new PromptScores(served.model().decoder(), prompt, logprobs.getAsInt()))
                : Optional.empty();
        requests.add(
            new Request(
                request.owner(),
                prompt,
                form.apply(sampling.options(i, tokens, logprobs)),
                decoding.policy(),
                decoding.maxPending(),
                t -> {},
                scores.map(s -> s),
                asked == 0));
        Optional<String> before =
            echo ? Optional.of(served.model().tokenizer().decode(prompt)) : Optional.empty();
        texts.add(new CompletionText(served, prompt, before, logprobs.isPresent(), scores));
      }
    }
    SortieAnswer sortie =
        new SortieAnswer(decoding.strategy(), decoding.trace(), sampling.seed(), f.ignored());
    CompletionShape shape = new CompletionShape(served, sortie, texts, sampling.choices(), usage);
    answers.send(request, requests, shape, streamed);
  }

  private static void refuseWhatIsNotThere(RequestFields f, SamplingFields sampling) {
    if (f.string("suffix").filter(s -> !s.isEmpty()).isPresent()) {
      f.refuse("suffix", "the model continues a text and fills none in");
    }
    OptionalInt best = f.integer("best_of", 1, Integer.MAX_VALUE);
    if (best.isPresent() && best.getAsInt() != sampling.choices()) {
      throw f.wrong("best_of", "n: all texts are given");
    }
  }
}
