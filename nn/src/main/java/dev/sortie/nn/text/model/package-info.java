/**
 * Models of subword tokenization: BPE and Unigram, their vocabulary and merges, and the encoders
 * that spell a piece with them. A new model is a record of {@link
 * dev.sortie.nn.text.model.SubwordModel} and a {@link dev.sortie.nn.text.model.PieceEncoder}.
 * Nothing here knows how a text became pieces.
 */
package dev.sortie.nn.text.model;
