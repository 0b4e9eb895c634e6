/** JMH benchmarks. They run on the class path, since JMH forks its JVMs with that alone. */
module dev.sortie.benchmarks {
  requires dev.sortie.eetuning;
  requires jmh.core;
}
