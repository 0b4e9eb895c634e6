/**
 * Peers: how they are installed, started and asked. Versions are fixed in {@code Peers}. A peer is
 * the current release with the settings that serve it best. This package knows nothing of our side.
 */
package dev.sortie.benchmarks.peer;
