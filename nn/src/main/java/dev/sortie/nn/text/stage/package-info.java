/**
 * What happens to a text around the model: normalizers and pre-tokenizers before it, the
 * post-processor's ids, decoders after it, with the names of Hugging Face's tokenizers. A new step
 * is a record of its sealed interface; the compiler then names the readers and writers in {@code
 * text.format} that lack it. Nothing here knows a vocabulary.
 */
package dev.sortie.nn.text.stage;
