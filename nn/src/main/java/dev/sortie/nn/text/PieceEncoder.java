package dev.sortie.nn.text;

import it.unimi.dsi.fastutil.ints.IntArrayList;

/** Spells pieces with tokens. Thread-safe. */
interface PieceEncoder {

  /** Appends the ids of one piece. */
  void encode(String piece, IntArrayList out);
}
