/**
 * The seam between what a server answers and the library that speaks HTTP: a request and its
 * answer, a handler, limits. Whoever answers requests sees these types alone. A departure of the
 * client is told at once, whatever the handler is doing; an implementation that cannot do that does
 * not fit.
 */
package dev.sortie.eetuning.serve.http;
