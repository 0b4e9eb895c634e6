package dev.sortie.eetuning.cost;

/**
 * Where one pass spent its time, in nanoseconds.
 *
 * @param layers all backbone layers
 * @param head final norm, head, confidence
 * @param rest embedding, reading the logits, the choice, giving memory back
 * @param exitLayers the layer of each exit, 0 where it has none
 * @param checks the check of each exit
 * @param ahead of the lookahead exit: its layer, its head, and both once more for one token; 0
 *     without one
 */
record Laps(long layers, long head, long rest, long[] exitLayers, long[] checks, long[] ahead) {}
