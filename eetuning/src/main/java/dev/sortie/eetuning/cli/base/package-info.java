/**
 * What all command lines of Sortie share, those of the benchmarks too: exit codes, one line for
 * each mistake of the user, and the options of all commands that compute. An option that only some
 * commands have is in {@code cli.option}. It knows no command.
 */
package dev.sortie.eetuning.cli.base;
