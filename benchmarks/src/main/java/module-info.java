/**
 * JMH benchmarks, and comparisons with peers. They run on the class path, since JMH forks its JVMs
 * with that alone.
 */
module dev.sortie.benchmarks {
  requires dev.ludovic.netlib.blas;
  requires dev.sortie.eetuning;
  requires dev.sortie.opencl;
  requires dev.sortie.parallel;
  requires info.picocli;
  requires java.management;
  requires java.net.http;
  requires jdk.incubator.vector;
  requires jmh.core;

  opens dev.sortie.benchmarks to
      info.picocli;
}
