/**
 * The entry point, which lists the commands: a new command is added there. It knows the commands,
 * and nothing that they do.
 */
package dev.sortie.eetuning.cli;
