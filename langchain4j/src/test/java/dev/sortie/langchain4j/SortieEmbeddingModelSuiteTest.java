package dev.sortie.langchain4j;

import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.common.AbstractEmbeddingModelIT;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.Sortie;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** LangChain4j's own suite for embedding models, with the embedded model. */
@Tag("any-kernels")
class SortieEmbeddingModelSuiteTest extends AbstractEmbeddingModelIT {
  private Model model;

  @BeforeAll
  void load() {
    model = Sortie.load("fable");
  }

  @AfterAll
  void close() {
    model.close();
  }

  @Override
  protected List<EmbeddingModel> models() {
    return List.of(SortieEmbeddingModel.builder().model(model).build());
  }

  @Override
  protected EmbeddingModel modelWith(EmbeddingModelListener listener) {
    return SortieEmbeddingModel.builder().model(model).listeners(List.of(listener)).build();
  }

  @Override
  protected EmbeddingModel failingModelWith(EmbeddingModelListener listener) {
    Model closed = Sortie.load("fable");
    closed.close();
    return SortieEmbeddingModel.builder().model(closed).listeners(List.of(listener)).build();
  }

  /** Queries and documents are read alike. */
  @Override
  protected boolean supportsInputTypeParameter() {
    return false;
  }

  /** A vector has as many elements as the model's hidden state. */
  @Override
  protected boolean supportsDimensionsParameter() {
    return false;
  }

  /** Language models read text. */
  @Override
  protected boolean supportsImageInput() {
    return false;
  }
}
