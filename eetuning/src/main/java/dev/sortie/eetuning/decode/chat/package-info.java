/**
 * Prompts and conversations: from text, or turns and a chat template, to the ids that fit a model,
 * and what ends an answer. Uses {@code decode} and {@code single}. It does not know who asks.
 */
package dev.sortie.eetuning.decode.chat;
