package dev.sortie.nn.json;

/**
 * What a JSON document may cost before it is refused.
 *
 * @param maxBytes size of the document in bytes
 * @param maxDepth nesting of objects and lists
 * @param maxString longest string, in characters
 * @param maxValues values in one tree
 */
public record JsonLimits(int maxBytes, int maxDepth, int maxString, int maxValues) {
  /** For configurations and small manifests: 16 MiB, 16 levels. */
  public static final JsonLimits CONFIG = new JsonLimits(16 << 20, 16, 1 << 20);

  /** For data: 256 MiB, 64 levels. */
  public static final JsonLimits DATA = new JsonLimits(256 << 20, 64, 64 << 20);

  /** For tokenizers: 256 MiB, 64 levels, trees of no more values than a vocabulary may have. */
  public static final JsonLimits TOKENIZER = new JsonLimits(256 << 20, 64, 1 << 21, 1 << 21);

  /** Limits are positive. */
  public JsonLimits {
    if (maxBytes < 1
        || maxBytes == Integer.MAX_VALUE
        || maxDepth < 1
        || maxString < 1
        || maxValues < 1) {
      throw new IllegalArgumentException(
          "JSON limits must be positive: %d, %d, %d, %d"
              .formatted(maxBytes, maxDepth, maxString, maxValues));
    }
  }

  /** As many values as fit into the document. */
  public JsonLimits(int maxBytes, int maxDepth, int maxString) {
    this(maxBytes, maxDepth, maxString, Integer.MAX_VALUE);
  }
}
