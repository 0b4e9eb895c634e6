package dev.sortie.opencl;

/**
 * All that calls on one device share.
 *
 * @param session the queue
 * @param memory what is where
 * @param programs the kernels
 * @param scratch memory between kernels
 * @param preset how kernels are cut
 */
record Engine(
    ClSession session, ClMemory memory, ClPrograms programs, Scratch scratch, Preset preset)
    implements AutoCloseable {

  /** A call of a kernel whose source needs no macro of its own. */
  Launch call(String file, String name) {
    return call(file, "", name);
  }

  Launch call(String file, String define, String name) {
    return new Launch(session, memory, programs.kernel(file, define, name), preset.local());
  }

  @Override
  public void close() {
    session.finish();
    programs.close();
    session.close();
  }
}
