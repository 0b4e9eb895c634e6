/**
 * Exercises of the tour (docs/tour): a learner writes one small class, and the engine's own checks
 * run on it. An interface says what to write, the checks of an exercise are promises with a hint
 * each, and {@link dev.sortie.eetuning.exercise.Exercise} lists all. Learners' classes are compiled
 * at run time with the JDK's compiler and run with the rights of the process.
 */
package dev.sortie.eetuning.exercise;
