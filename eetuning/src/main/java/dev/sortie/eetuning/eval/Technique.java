package dev.sortie.eetuning.eval;

import java.util.List;

/** By what a way of decoding may be faster than full depth. */
public enum Technique {
  /** By nothing: it does the work of full depth. What it differs by is the measurement's error. */
  NONE("none", "nothing changed"),
  /** Tokens leave at exits. */
  EXITS("exits", "exits alone"),
  /** The same at exits that were tuned before, and are shown for comparison. */
  READY_EXITS("ready_exits", "ready exits"),
  /** Tokens are drafted, and verified several at a time. */
  DRAFTS("drafts", "drafts alone"),
  /** Both. */
  BOTH("both", "exits and drafts");

  /** Those that may be faster, in the order in which they are shown. */
  public static final List<Technique> FASTER = List.of(EXITS, READY_EXITS, DRAFTS, BOTH);

  private final String key;
  private final String label;

  Technique(String key, String label) {
    this.key = key;
    this.label = label;
  }

  /** Its name in JSON. */
  public String key() {
    return key;
  }

  /** Its name for people. */
  public String label() {
    return label;
  }

  /** Whether exits are checked: tokens may leave there. */
  boolean leaves() {
    return this != NONE && this != DRAFTS;
  }

  static Technique of(boolean exits, boolean drafts) {
    return exits ? drafts ? BOTH : EXITS : drafts ? DRAFTS : NONE;
  }
}
