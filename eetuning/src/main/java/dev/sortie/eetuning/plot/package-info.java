/**
 * Plots as SVG of our own: scatter, bars, losses over steps, timelines of stages. A new plot takes
 * plain numbers and names and draws on {@code Svg}; its colours are classes of the style sheets. It
 * knows nothing of models, exits or evaluation.
 */
package dev.sortie.eetuning.plot;
