package dev.sortie.nn.family;

/**
 * Where a file has a tensor of the decoder. Names are without {@code .weight} and {@code .bias},
 * which both follow the rule; {@code #} stands for the number of a layer.
 *
 * @param decoder the decoder's name
 * @param file the file's name
 * @param piece what of the file's tensor it is
 */
record NameRule(String decoder, String file, Packing piece) {
  private static final String LAYERS = "model.layers.";

  /** Another name for the same. */
  static NameRule of(String decoder, String file) {
    return new NameRule(decoder, file, Packing.WHOLE);
  }

  /**
   * What {@link #file} is for the decoder's tensor {@code name}, or null if the rule is not for it.
   */
  String fileName(String name) {
    int dot = name.lastIndexOf('.');
    String base = name.substring(0, dot);
    String suffix = name.substring(dot);
    if (!base.startsWith(LAYERS)) {
      return base.equals(decoder) ? file + suffix : null;
    }
    int end = base.indexOf('.', LAYERS.length());
    String layer = base.substring(LAYERS.length(), end);
    return (LAYERS + "#" + base.substring(end)).equals(decoder)
        ? file.replace("#", layer) + suffix
        : null;
  }
}
