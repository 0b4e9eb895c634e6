/**
 * Tokenizers as files: {@code tokenizer.json}, SentencePiece's {@code tokenizer.model} and the
 * metadata of GGUF, read and written. A field that is not supported is refused by name here, never
 * ignored. Nothing here encodes text: the result is a {@link dev.sortie.nn.text.TokenizerSpec}.
 */
package dev.sortie.nn.text.format;
