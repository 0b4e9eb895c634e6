/**
 * The entry point, which lists the commands. A new command is added to that list. It knows the
 * commands, and nothing that they do.
 */
package dev.sortie.eetuning.cli;
