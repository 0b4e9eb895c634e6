package dev.sortie.eetuning.decode;

import java.util.OptionalInt;

/**
 * One generated token.
 *
 * @param id its id
 * @param text what it adds to the text: whole characters only, so sometimes nothing, sometimes the
 *     end of an earlier one too
 * @param exit depth of the exit that chose it; empty for the final layer
 * @param confidence largest probability there
 */
public record GeneratedToken(int id, String text, OptionalInt exit, double confidence) {}
