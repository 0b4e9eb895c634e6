package dev.sortie.eetuning.decode.pipeline;

/**
 * What a stage of a decoding pipeline did when.
 *
 * @param stage from 0
 * @param work what
 * @param rows tokens of the texts together
 * @param start in seconds, on one clock for all stages
 * @param end in seconds
 */
public record StageTime(int stage, Work work, int rows, double start, double end) {

  /** The kinds of work. */
  public enum Work {
    /** Reads a chunk of a prompt. */
    PROMPT,
    /** Reads tokens of which the next one is not known. */
    TOKEN,
    /** Makes up the keys and values of tokens that left early. */
    FILL
  }
}
