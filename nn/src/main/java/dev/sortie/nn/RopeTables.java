package dev.sortie.nn;

/**
 * The rotary tables of a model: layers that look far back may turn more slowly than those with a
 * window.
 *
 * @param global of layers without a window, and of most models everywhere
 * @param local of the others; the same as {@code global} in most models
 */
public record RopeTables(RopeTable global, RopeTable local) {}
