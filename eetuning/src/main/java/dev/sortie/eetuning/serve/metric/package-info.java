/**
 * What a server counts, in the format of Prometheus. A new metric is a field, a method and a line
 * here, and a row in {@code docs/serve.md}. It counts and never decides.
 */
package dev.sortie.eetuning.serve.metric;
