/**
 * Files of token ids for training, and the shuffled windows that are read from them. The layout of
 * such a file is in its header class. Nothing here knows models or training.
 */
package dev.sortie.nn.text.data;
