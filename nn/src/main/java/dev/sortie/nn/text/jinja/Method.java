package dev.sortie.nn.text.jinja;

/** A function made of a name and a body. */
record Method(String name, Body body) implements Function {
  interface Body {
    Object call(Run run, Arguments arguments);
  }

  @Override
  public Object call(Run run, Arguments arguments) {
    return body.call(run, arguments);
  }
}
