/**
 * What the launcher prepares once so that later starts are faster ({@code docs/cold-start.md}): a
 * jar for the boot class path, and a run whose classes the JVM archives. Each class here has a
 * {@code main} of its own, which the launcher calls; nothing else uses them. A start without what
 * they make does the same work, only later.
 */
package dev.sortie.eetuning.cli.startup;
