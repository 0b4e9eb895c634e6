/**
 * Ranks, axes and groups as pure functions of three sizes. The order of axes decides which ranks
 * are neighbours and is part of every checkpoint's layout. Knows no communicator.
 */
package dev.sortie.parallel.mesh;
