/**
 * The template language of chat templates: lexer, parsers, evaluator, filters and tests of Jinja2,
 * within limits of time and memory. A filter, test or method goes to the table of its kind, with a
 * case from Jinja2 itself in the parity suite. Nothing here knows chats, and templates reach
 * neither files nor Java objects; the package is not exported.
 */
package dev.sortie.nn.text.jinja;
