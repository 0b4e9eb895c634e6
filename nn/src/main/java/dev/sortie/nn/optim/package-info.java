/**
 * The optimiser and its schedule of learning rates. Another optimiser goes here, next to AdamW.
 * Nothing here knows models or files: it sees lists of parameters and their gradients.
 */
package dev.sortie.nn.optim;
