package dev.sortie.nn.text.jinja;

/**
 * Where something stands in a template.
 *
 * @param line from 1
 * @param column from 1, in UTF-16 units
 */
record Place(int line, int column) {}
