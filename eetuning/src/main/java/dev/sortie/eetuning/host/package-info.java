/**
 * The host that a process runs on: facts about the machine, folders for results, the embedded model
 * and exits, and what names models and exits. A class belongs here only if several packages need
 * it. It knows none of the packages that decode, train or evaluate.
 */
package dev.sortie.eetuning.host;
