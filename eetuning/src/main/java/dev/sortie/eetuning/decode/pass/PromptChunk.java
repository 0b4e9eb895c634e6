package dev.sortie.eetuning.decode.pass;

import dev.sortie.eetuning.decode.PromptStates;
import java.util.Optional;

/**
 * The next tokens of a prompt, to be read by all layers.
 *
 * @param text that they continue
 * @param tokens at least one
 * @param end whether they end the prompt
 * @param states gets their final hidden states, if somebody asks
 */
public record PromptChunk(
    SequenceState text, int[] tokens, boolean end, Optional<PromptStates> states) {}
