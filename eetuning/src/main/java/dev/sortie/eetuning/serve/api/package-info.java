/**
 * The OpenAI API: its endpoints, the fields of its requests, the shapes of its answers and errors.
 * A new endpoint is a class here and a row in {@code Api}; a new field is asked for where it takes
 * effect, and the answer lists whatever nobody has asked for. Uses {@code serve.http} and {@code
 * serve.engine}; it knows no library of HTTP.
 */
package dev.sortie.eetuning.serve.api;
