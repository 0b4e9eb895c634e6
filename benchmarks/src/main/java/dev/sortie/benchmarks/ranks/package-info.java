/**
 * Jobs of several ranks that are timed: processes, the questions they are asked and their answers.
 * Both the comparisons and {@code bench ranks} use them. They know no peer but a plain socket.
 */
package dev.sortie.benchmarks.ranks;
