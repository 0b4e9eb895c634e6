package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Tensor;

/**
 * The result of a head with a loss.
 *
 * @param sum weighted sums of the losses: a scalar, or one number a student
 * @param rows loss of each row without its weight, in nats; for reports, without gradient
 */
public record HeadLoss(Tensor sum, Tensor rows) {}
