/**
 * Options that several commands share, and what they make: models, exits, decoding settings, data,
 * ranks. A mixin checks its own options and names them in its errors. It knows no command.
 */
package dev.sortie.eetuning.cli.option;
