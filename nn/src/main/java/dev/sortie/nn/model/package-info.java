/**
 * One decoder, driven by its configuration, and the tensors that it asks for by name. What a family
 * computes differently is a switch of {@link dev.sortie.nn.model.DecoderSwitches} and a branch in
 * the decoder. Nothing here knows where weights come from: files, families and conversions are the
 * business of {@code nn.family} and {@code nn.load}.
 */
package dev.sortie.nn.model;
