package dev.sortie.eetuning.cost;

/**
 * Where one pass spent its time, in nanoseconds.
 *
 * @param layers all backbone layers
 * @param head final norm, head, confidence
 * @param rest embedding, reading the logits, the choice, giving memory back
 * @param exitLayers the layer of each exit, 0 where it has none
 * @param checks the check of each exit
 */
record Laps(long layers, long head, long rest, long[] exitLayers, long[] checks) {}
