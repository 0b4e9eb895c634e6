/**
 * A model from whatever names it: a Hugging Face folder or a GGUF file becomes a decoder with its
 * tokenizer, and one format becomes the other. How weights are held in memory, what that takes and
 * whether it fits is decided here. Nothing here knows a family by name or downloads anything.
 */
package dev.sortie.nn.load;
