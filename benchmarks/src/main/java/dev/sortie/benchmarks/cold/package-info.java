/**
 * Whole processes from their start: seconds to the first token, to the end, to a steady speed. Each
 * sample is a command as users run it, with the file cache warm and all else cold. It does not know
 * why a start is slow.
 */
package dev.sortie.benchmarks.cold;
