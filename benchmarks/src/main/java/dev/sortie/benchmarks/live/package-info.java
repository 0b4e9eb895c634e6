/**
 * Prompts that are read while somebody types them. Measured is what is waited for after the last
 * key, next to a prompt that is read whole. Uses {@code cold} for the text and the rows.
 */
package dev.sortie.benchmarks.live;
