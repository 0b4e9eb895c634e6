/**
 * Calls of functions in a model's answer: how a chat template has them written, the grammar of an
 * answer that must be one, and the readers that find them while the answer grows. Uses {@code
 * grammar} and chat templates. It does not know how a request names functions.
 */
package dev.sortie.eetuning.decode.tool;
