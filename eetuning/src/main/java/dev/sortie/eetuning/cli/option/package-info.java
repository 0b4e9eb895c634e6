/**
 * Options that several commands share, and what they make: models, exits, decoding settings, data,
 * ranks. Options are fields of a class named {@code *Mixin}; a class named {@code *Options} is a
 * value of a library. A mixin checks its own options and names them in its errors. It knows no
 * command.
 */
package dev.sortie.eetuning.cli.option;
