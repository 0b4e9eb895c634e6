/**
 * Strict JSON: one tree, one reader and one printer for all that nn reads and writes. Limits and
 * refusals belong here, and no other package of nn uses Jackson. It must not know what a document
 * means: configurations, headers and tokenizers check their own fields.
 */
package dev.sortie.nn.json;
