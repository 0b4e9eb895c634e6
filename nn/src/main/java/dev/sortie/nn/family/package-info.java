/**
 * Families of models as rows: what a {@code config.json} or the metadata of a GGUF file says of the
 * decoder, and where its files have the decoder's tensors. A new family is a row of {@link
 * dev.sortie.nn.family.Families}, and of {@code GgufArchitectures} if it has GGUF files. Nothing
 * here computes: a family sets switches of the decoder, and what no switch expresses is refused by
 * name.
 */
package dev.sortie.nn.family;
