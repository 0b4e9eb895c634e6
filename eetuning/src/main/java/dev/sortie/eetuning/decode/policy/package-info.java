/**
 * When a token leaves at an exit: what an exit says ({@code ExitEvidence}), the policies that judge
 * it, and the schedule that says which exits are evaluated at all. A new policy is one record and a
 * name in {@code ExitPolicies}; the schedule is also what prices and calibration follow. Uses no
 * other package of decoding and knows neither layers nor caches.
 */
package dev.sortie.eetuning.decode.policy;
