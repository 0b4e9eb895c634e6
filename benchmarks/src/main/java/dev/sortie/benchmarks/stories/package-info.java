/**
 * What stories of a small model are like, in figures: their length, how often they repeat
 * themselves, and how well a larger model predicts them. Stories are written by {@code eetuning}'s
 * own decoder and counted by the rules that filter sampled text. Nothing is timed.
 */
package dev.sortie.benchmarks.stories;
