package dev.sortie.nn.text.jinja;

import java.util.List;

/** What {@code keys()}, {@code values()} and {@code items()} return; {@code kind} names it. */
record View(String kind, List<Object> items) {}
