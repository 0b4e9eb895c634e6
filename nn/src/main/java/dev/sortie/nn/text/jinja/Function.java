package dev.sortie.nn.text.jinja;

/** A value that can be called: a macro, a method, a global function. */
interface Function {
  /** For messages. */
  String name();

  Object call(RenderContext context, BoundArguments arguments);

  /** A function made of a name and a body. */
  record Method(String name, Body body) implements Function {
    /** What it does. */
    interface Body {
      Object call(RenderContext context, BoundArguments arguments);
    }

    @Override
    public Object call(RenderContext context, BoundArguments arguments) {
      return body.call(context, arguments);
    }
  }
}
