/**
 * The loop that takes a job from its newest checkpoint to its last step: validation, checkpoints,
 * progress and a clean stop. It decides when things happen, never what a step computes. It knows
 * neither tuning nor training from scratch.
 */
package dev.sortie.eetuning.train.loop;
