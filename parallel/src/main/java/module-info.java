/** Ranks and groups for training in parallel; the JDK and the modules below alone. */
module dev.sortie.parallel {
  requires transitive dev.sortie.nn;

  exports dev.sortie.parallel.comm;
  exports dev.sortie.parallel.comm.group;
  exports dev.sortie.parallel.comm.transport;
  exports dev.sortie.parallel.comm.transport.hierarchical;
  exports dev.sortie.parallel.comm.transport.mpi;
  exports dev.sortie.parallel.comm.transport.shm;
  exports dev.sortie.parallel.comm.transport.tcp;
  exports dev.sortie.parallel.launch;
  exports dev.sortie.parallel.mesh;
  exports dev.sortie.parallel.pipeline;
  exports dev.sortie.parallel.shard;
}
