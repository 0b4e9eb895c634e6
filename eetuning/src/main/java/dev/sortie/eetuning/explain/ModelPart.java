package dev.sortie.eetuning.explain;

/**
 * A part of a model that runs kernels.
 *
 * @param depth of a layer, from 1, or of an exit; 0 of the embedding and the final head
 */
record ModelPart(Kind kind, int depth) {
  static final ModelPart EMBEDDING = new ModelPart(Kind.EMBEDDING, 0);

  /** Not a part: a weight that several layers read belongs to the one that runs. */
  static final ModelPart SHARED = new ModelPart(Kind.SHARED, 0);

  static final ModelPart FINAL = new ModelPart(Kind.FINAL, 0);

  enum Kind {
    EMBEDDING,
    LAYER,
    EXIT,
    FINAL,
    SHARED
  }

  static ModelPart layer(int number) {
    return new ModelPart(Kind.LAYER, number);
  }

  static ModelPart exit(int depth) {
    return new ModelPart(Kind.EXIT, depth);
  }

  boolean isLayer() {
    return kind == Kind.LAYER;
  }
}
