/**
 * What hostile files and texts may cost: budgets of characters, steps and depth that pass through
 * tokenizers and templates, searches that stay linear, and hash tables whose keys nobody can make
 * collide. A new step counts what it makes before it makes it, and what it looks at. Nothing here
 * knows what the texts mean.
 */
package dev.sortie.nn.text.budget;
