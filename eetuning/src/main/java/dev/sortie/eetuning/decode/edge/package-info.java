/**
 * One model on two machines, cut at an exit: the edge holds the first layers, the cloud the others
 * ({@link dev.sortie.eetuning.decode.edge.EdgeDecoder}, {@link
 * dev.sortie.eetuning.decode.edge.CloudServer}). Frames over a link that proves a secret are all
 * that the two share; {@code Frame} is the protocol. Uses {@code pass} as a pipeline's stages do;
 * unlike these, either side may lose the other at any time.
 */
package dev.sortie.eetuning.decode.edge;
