/**
 * The questions of the EE-Tuning paper (arXiv 2402.00518), asked again: commands as data, the
 * figures that their runs are reduced to, and the page made from the figures. A command is printed
 * on the page and run from the same data. {@code Experiment} is one run, {@code Script} all of them
 * in order; {@code PaperPage} writes the page.
 */
package dev.sortie.benchmarks.paper;
