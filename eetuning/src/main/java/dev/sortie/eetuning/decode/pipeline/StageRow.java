package dev.sortie.eetuning.decode.pipeline;

import dev.sortie.eetuning.decode.policy.ExitEvidence;

/**
 * A token on its way through the stages.
 *
 * @param text whose
 * @param position where it stands
 * @param id the token
 * @param wanted whether what follows it is not known yet; else it only leaves keys and values
 * @param pending tokens of its text before it that left between layers in a row
 * @param said by the exit asked last, or null
 * @param hidden what the stage before computed, {@code [C]}; empty at the first
 */
record StageRow(
    int text,
    int position,
    int id,
    boolean wanted,
    int pending,
    ExitEvidence.Said said,
    float[] hidden) {}
