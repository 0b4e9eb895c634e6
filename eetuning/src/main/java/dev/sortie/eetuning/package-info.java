/**
 * The public API for applications: {@link dev.sortie.eetuning.Sortie} loads a model, {@link
 * dev.sortie.eetuning.Model} generates, chats, embeds and scores with it, {@link
 * dev.sortie.eetuning.Tuner} tunes exits for it. It computes nothing itself: it combines the
 * packages below and returns their types. Those packages do not depend on it; the command line
 * does.
 */
package dev.sortie.eetuning;
