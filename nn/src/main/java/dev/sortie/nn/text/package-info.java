/**
 * Tokenizers: text to ids and back, and the training of byte-level BPE. The pipeline is here: added
 * tokens, then {@code text.stage}, then {@code text.model}; its parts are data in {@link
 * dev.sortie.nn.text.TokenizerSpec}. Nothing here knows file formats: those of tokenizers are in
 * {@code text.format}.
 */
package dev.sortie.nn.text;
