/**
 * When a token leaves at an exit: what an exit says, the rules that judge it, and how often exits
 * are asked. Uses no other package of decoding.
 */
package dev.sortie.eetuning.decode.policy;
