/**
 * Characters and bytes: classes of code points, normal forms, tries, the alphabet of byte-level
 * BPE, UTF-8 that arrives in pieces. Only tables and functions of characters belong here. Nothing
 * here knows tokens or tokenizers; the package is not exported.
 */
package dev.sortie.nn.text.unicode;
