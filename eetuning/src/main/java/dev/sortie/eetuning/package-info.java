/**
 * What all parts of the early-exit work share: the embedded model and facts about the machine and
 * its folders. A class belongs here only if several packages below need it. It knows none of them.
 */
package dev.sortie.eetuning;
