package dev.sortie.eetuning.decode.edge;

/** Who decided a token of a text that edge and cloud write together. */
public enum EdgeToken {
  /** An exit of the edge that was sure. */
  EDGE("edge"),
  /** The final layer, in the cloud. */
  CLOUD("cloud"),
  /** The last exit of the edge, sure or not, because the cloud did not answer. */
  ALONE("edge-alone");

  private final String word;

  EdgeToken(String word) {
    this.word = word;
  }

  /** In JSON. */
  public String word() {
    return word;
  }
}
