/**
 * The commands, a class {@code *Command} for each: options are checked, the work is called, the
 * result is printed. Another class is a part of the one command that its first sentence names, cut
 * out to keep that readable. Names of commands, options, JSON fields and exit codes are a contract.
 * Work that another application could call belongs to a library package.
 */
package dev.sortie.eetuning.cli.command;
