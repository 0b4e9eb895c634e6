/**
 * From JSON Schema to a grammar: a rule for each part of the schema, named by its place. What a
 * grammar cannot say, and what is not known, is refused by the keyword and its place; nothing is
 * left out in silence. The texts of the grammar are documents that are valid under the schema, not
 * all of them: properties come in the order of the schema, for example.
 */
package dev.sortie.eetuning.decode.grammar.schema;
