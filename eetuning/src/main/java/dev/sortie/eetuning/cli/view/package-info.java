/**
 * What commands show: tables, progress, coloured text; and the terminal, its keys and Ctrl-C. All
 * but results goes to standard error. It knows no option and no command.
 */
package dev.sortie.eetuning.cli.view;
