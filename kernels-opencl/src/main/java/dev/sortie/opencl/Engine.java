package dev.sortie.opencl;

import java.util.function.UnaryOperator;

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
    ClSession session, ClMemory memory, ClPrograms programs, DeviceScratch scratch, Preset preset)
    implements AutoCloseable {

  /** A call of a kernel whose source needs no macro of its own. */
  Launch call(String file, String name) {
    return call(file, "", name);
  }

  Launch call(String file, String define, String name) {
    Cut cut = preset.cut(Family.of(file, define));
    int group = cut.macros().getOrDefault("WG", 1);
    return new Launch(session, memory, programs.kernel(file, define, name), preset.local(), group);
  }

  /** This device with kernels that are cut otherwise. */
  Engine with(Preset other, BinaryCache cache) {
    ClPrograms cut = new ClPrograms(session, other, cache, UnaryOperator.identity());
    return new Engine(session, memory, cut, scratch, other);
  }

  /** Does nothing the second time: the queue is no longer there. */
  @Override
  public void close() {
    if (!session.isOpen()) {
      return;
    }
    session.finish();
    programs.close();
    session.close();
  }
}
