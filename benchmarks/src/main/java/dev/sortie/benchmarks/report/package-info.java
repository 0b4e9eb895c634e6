/**
 * Recorded results and the page that draws them. A record is a line of JSON, kept as it was
 * printed. Nothing is measured here.
 */
package dev.sortie.benchmarks.report;
