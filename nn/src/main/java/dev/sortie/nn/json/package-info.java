/**
 * Strict JSON: one tree, one reader and one printer for everything that this project reads and
 * writes in nn. Limits and refusals belong here, with the file and the field in each line. It must
 * not know what a document means: configurations, headers and tokenizers check their own fields.
 */
package dev.sortie.nn.json;
