/**
 * What people are shown: untrusted text made safe for terminals and pages, and numbers as people
 * read them. Terminals, pages and plots use it for every text that a model or a file has given. It
 * knows nothing of where the text comes from.
 */
package dev.sortie.eetuning.display;
