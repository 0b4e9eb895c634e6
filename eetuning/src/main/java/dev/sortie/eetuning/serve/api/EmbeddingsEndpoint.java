package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.batch.PromptEmbedding;
import dev.sortie.eetuning.decode.batch.Request;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.serve.engine.TextEvent;
import dev.sortie.nn.json.Json;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * {@code /v1/embeddings}: see {@link PromptEmbedding} for what an embedding is.
 *
 * @param answers sends what was read
 */
record EmbeddingsEndpoint(ServedModel served, TextAnswer.Maker answers) implements ApiEndpoint {
  private static final String BASE64 = "base64";
  private static final String POOLING = "mean of the final norm over all tokens, length 1";

  @Override
  public void answer(ApiRequest request) throws InterruptedException {
    RequestFields f = request.fields();
    served.check(f);
    List<int[]> prompts = PromptFields.of(f, "input", served);
    String format = f.string("encoding_format").orElse("float");
    if (!List.of("float", BASE64).contains(format)) {
      throw f.wrong("encoding_format", "float or base64");
    }
    int width = served.model().config().decoder().hidden();
    OptionalInt dimensions = f.integer("dimensions", 1, Integer.MAX_VALUE);
    if (dimensions.isPresent() && dimensions.getAsInt() != width) {
      throw f.wrong("dimensions", width + ", which is what this model has");
    }
    List<PromptEmbedding> embeddings = new ArrayList<>();
    List<Request> requests = new ArrayList<>();
    for (int[] prompt : prompts) {
      served.answer(prompt, 1, "input");
      PromptEmbedding embedding = new PromptEmbedding(served.model().decoder());
      embeddings.add(embedding);
      requests.add(
          new Request(
              request.owner(),
              prompt,
              new GenerateOptions(1, SamplingOptions.GREEDY, List.of(), true),
              new MaxProbability(1),
              0,
              t -> {},
              Optional.of(embedding),
              true));
    }
    List<String> ignored = f.ignored();
    answers.whole(
        request, requests, ends -> whole(ends, embeddings, format.equals(BASE64), ignored));
  }

  private Map<String, Object> whole(
      List<TextEvent.End> ends,
      List<PromptEmbedding> embeddings,
      boolean base64,
      List<String> ignored) {
    List<Map<String, Object>> data = new ArrayList<>();
    for (int i = 0; i < embeddings.size(); i++) {
      float[] vector = embeddings.get(i).vector();
      data.add(
          Json.object(
              "object",
              "embedding",
              "index",
              i,
              "embedding",
              base64 ? base64(vector) : list(vector)));
    }
    int tokens = Usage.of(ends, 1).prompt();
    return Json.object(
        "object",
        "list",
        "data",
        data,
        "model",
        served.name(),
        "usage",
        Json.object("prompt_tokens", tokens, "total_tokens", tokens),
        "sortie",
        Json.object("pooling", POOLING, "ignored", ignored));
  }

  private static List<Float> list(float[] vector) {
    List<Float> list = new ArrayList<>(vector.length);
    for (float x : vector) {
      list.add(x);
    }
    return list;
  }

  /** As the official clients ask for it: 32-bit floats, the lowest byte first. */
  private static String base64(float[] vector) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * vector.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(vector);
    return Base64.getEncoder().encodeToString(bytes.array());
  }
}
