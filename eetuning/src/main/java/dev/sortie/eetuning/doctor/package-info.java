/**
 * What the machine, the JVM and its flags make slow, topic by topic. A new topic is a class with
 * one method that {@code Examination} lists. It knows the engine and the ranks, no model.
 */
package dev.sortie.eetuning.doctor;
