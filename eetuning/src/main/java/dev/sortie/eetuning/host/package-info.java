/**
 * The host that a process runs on: facts about the machine, folders for results, the embedded model
 * and what names a model. A class belongs here only if several packages need it. It knows none of
 * the packages that decode, train or evaluate.
 */
package dev.sortie.eetuning.host;
