/**
 * Results of evaluations and of the demo as HTML pages and as JSON. JSON fields may be added, not
 * renamed. It measures nothing.
 */
package dev.sortie.eetuning.eval.report;
