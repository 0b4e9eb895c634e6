package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Budget;
import java.time.LocalDateTime;
import java.util.function.Supplier;

/**
 * What one rendering has in addition to its variables.
 *
 * @param budget what it may still cost
 * @param now the time that strftime_now shows
 */
record RenderContext(Budget budget, Supplier<LocalDateTime> now) {}
