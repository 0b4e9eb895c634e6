/**
 * The commands, a class for each: options are checked, the work is called, the result is printed.
 * Their names, options, JSON fields and exit codes are a contract. Work that another application
 * could call belongs to a library package.
 */
package dev.sortie.eetuning.cli.command;
