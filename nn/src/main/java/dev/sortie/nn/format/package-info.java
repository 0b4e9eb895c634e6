/**
 * Containers of tensors as bytes: safetensors, one file or shards, and GGUF, each with its reader
 * and writer. A change of a format touches its header class and the suite of damaged files of that
 * format. Names of tensors and what a model computes with them are unknown here: see {@code
 * nn.family}.
 */
package dev.sortie.nn.format;
