/**
 * The engine of a server: one thread that computes for all requests, and texts as streams of events
 * that any thread may take. Uses {@code decode.batch}; knows no HTTP and no API. Whoever takes
 * events slowly delays nobody.
 */
package dev.sortie.eetuning.serve.engine;
