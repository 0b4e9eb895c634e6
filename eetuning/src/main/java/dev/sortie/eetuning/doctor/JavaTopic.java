package dev.sortie.eetuning.doctor;

import java.util.List;

/** The JDK and its flags. */
final class JavaTopic {
  /** What the kernels were tuned and tested on; the Vector API still incubates. */
  private static final int TESTED = 25;

  /** Last level of tiered compilation, C2, which alone makes instructions of vectors. */
  private static final int C2 = 4;

  private static final List<String> SWITCHES = List.of("EnableVectorSupport", "UseVectorStubs");
  private static final List<String> DEBUGGERS =
      List.of("-agentlib:jdwp", "-Xrunjdwp", "-Xdebug", "-javaagent:", "-agentpath:");

  private JavaTopic() {}

  static Topic of(Jvm jvm, long heap) {
    Topic t =
        new Topic("java")
            .fact("version", jvm.version())
            .fact("vm", jvm.name())
            .fact("mode", jvm.mode())
            .fact("flags", jvm.flags())
            .fact("max_heap_bytes", heap);
    if (!jvm.vectors()) {
      t.advise(
          "the module of the Vector API is missing: start with --add-modules jdk.incubator.vector,"
              + " as ./sortie does");
    }
    if (!jvm.compiles()) {
      t.advise("the JVM only interprets (" + jvm.mode() + "): start it without -Xint");
    } else if (jvm.number("TieredStopAtLevel", C2) < C2) {
      t.advise(
          "only the quick compiler (C1) is on, which turns no vector into an instruction: start"
              + " without -XX:TieredStopAtLevel="
              + jvm.number("TieredStopAtLevel", C2));
    }
    for (String name : SWITCHES) {
      if (jvm.flags().contains("-XX:-" + name)) {
        t.advise("-XX:-" + name + " makes Java objects of vectors: start without it");
      }
    }
    for (String flag : jvm.flags()) {
      if (DEBUGGERS.stream().anyMatch(flag::startsWith)) {
        t.advise("a debugger or agent may slow the kernels down: start without " + flag);
      }
    }
    if (jvm.feature() != TESTED) {
      t.advise(
          "Sortie is tested on JDK %d, this is %d: the vector kernels may run slowly, see self_test"
              .formatted(TESTED, jvm.feature()));
    }
    if (!jvm.name().contains("HotSpot") && !jvm.name().contains("OpenJDK")) {
      t.advise("this JVM is not HotSpot and may run vectors very slowly: use an OpenJDK build");
    }
    return t;
  }
}
