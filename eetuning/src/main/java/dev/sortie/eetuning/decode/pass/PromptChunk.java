package dev.sortie.eetuning.decode.pass;

import dev.sortie.eetuning.decode.PromptStates;
import java.util.Optional;

/**
 * The next tokens of a prompt, as a {@link PrefillPass} reads them. {@link ChunkedPrefill} says how
 * prompts are cut into chunks.
 *
 * @param text that they continue
 * @param tokens at least one
 * @param end whether they end the prompt
 * @param states gets their final hidden states, if somebody asks
 */
public record PromptChunk(
    SequenceState text, int[] tokens, boolean end, Optional<PromptStates> states) {}
