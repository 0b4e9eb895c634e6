/**
 * The speedrun: a small model from text to calibrated exits, against the clock. {@link
 * dev.sortie.eetuning.speedrun.Recipe} has the stages, each a command with its words, and may be
 * changed to make the figure better; the split of the text and what is measured may not. Commands
 * are run by the command line, not here.
 */
package dev.sortie.eetuning.speedrun;
