/**
 * Chat templates: where a model's files have them, the messages they take, what they render. A new
 * place of templates or a new field of messages goes here. The template language itself is in
 * {@code text.jinja}.
 */
package dev.sortie.nn.text.chat;
