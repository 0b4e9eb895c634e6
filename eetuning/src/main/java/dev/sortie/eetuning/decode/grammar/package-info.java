/**
 * Texts of a given form: a grammar, what it allows next, and the rule that forbids all other
 * tokens. A grammar is followed byte by byte, on the bytes that tokens stand for, so that it does
 * not matter how a text is cut into tokens. Uses {@code sampling} and tokenizers; it knows nothing
 * of models, exits and drafts, and composes with them for that reason.
 */
package dev.sortie.eetuning.decode.grammar;
