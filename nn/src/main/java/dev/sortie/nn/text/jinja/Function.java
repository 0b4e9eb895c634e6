package dev.sortie.nn.text.jinja;

/** A value that can be called: a macro, a method, a global function. */
interface Function {
  /** For messages. */
  String name();

  Object call(Run run, Arguments arguments);
}
