/**
 * Exit thresholds with a statistical guarantee: held-out traces, risks, tests, the file of
 * thresholds. The file format is a contract. It knows decoding and its cost, and no command.
 */
package dev.sortie.eetuning.calibrate;
