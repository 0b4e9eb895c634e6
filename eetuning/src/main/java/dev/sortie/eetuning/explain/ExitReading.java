package dev.sortie.eetuning.explain;

import java.util.List;
import java.util.OptionalDouble;

/**
 * What an exit says of the next token, and what the policy makes of it.
 *
 * @param depth after how many layers it stands
 * @param confidence what the policy compares with its threshold
 * @param threshold of this exit; empty where the policy has none
 * @param leaves whether the policy would take this exit
 * @param probe what its probe says of the hidden state; empty where the policy asks none
 * @param agreeing how many exits in a row, this one the last, have the same most likely token
 * @param covered tokens that its head covers
 * @param coverage probability that the next token is one of them
 * @param top the likeliest tokens
 */
public record ExitReading(
    int depth,
    double confidence,
    OptionalDouble threshold,
    boolean leaves,
    OptionalDouble probe,
    int agreeing,
    int covered,
    double coverage,
    List<LikelyToken> top) {}
