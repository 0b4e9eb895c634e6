package dev.sortie.nn.text.model;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The ids of pieces seen lately. Each piece has one slot, and the last one there stays: the size is
 * bounded, no lock is needed, and the worst that a race can do is to work out a piece twice.
 */
final class PieceCache {
  /** Longer pieces are rare and would make the cache large. */
  private static final int MAX_PIECE = 48;

  private final AtomicReferenceArray<Entry> slots;

  private record Entry(String piece, int[] ids) {}

  /** A cache of {@code size} slots, a power of two. */
  PieceCache(int size) {
    slots = new AtomicReferenceArray<>(size);
  }

  /** The ids of {@code piece}, which the caller must not change, or null. */
  int[] get(String piece) {
    Entry entry = piece.length() > MAX_PIECE ? null : slots.get(slot(piece));
    return entry != null && entry.piece.equals(piece) ? entry.ids : null;
  }

  void put(String piece, int[] ids) {
    if (piece.length() <= MAX_PIECE) {
      slots.set(slot(piece), new Entry(piece, ids));
    }
  }

  private int slot(String piece) {
    int hash = piece.hashCode() * 0x9E3779B9;
    return (hash ^ hash >>> 16) & slots.length() - 1;
  }
}
