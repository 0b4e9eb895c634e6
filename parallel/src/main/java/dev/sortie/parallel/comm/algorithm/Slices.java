package dev.sortie.parallel.comm.algorithm;

import java.lang.foreign.MemorySegment;

/**
 * Memory cut into one slice for each member, as even as whole elements allow: the first ones are
 * one element longer.
 */
record Slices(MemorySegment memory, int parts, int elementBytes) {

  long from(int part) {
    long elements = memory.byteSize() / elementBytes;
    return (elements / parts * part + Math.min(part, elements % parts)) * elementBytes;
  }

  MemorySegment get(int part) {
    long from = from(part);
    return memory.asSlice(from, from(part + 1) - from);
  }

  /** Slices {@code [from, to)} as one. */
  MemorySegment range(int from, int to) {
    return memory.asSlice(from(from), from(to) - from(from));
  }
}
