/**
 * How sides are timed: in turns, once their time is steady, with medians, and how figures are
 * written. Comparisons and runs of several ranks use it. It knows no peer.
 */
package dev.sortie.benchmarks.measure;
