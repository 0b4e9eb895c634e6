package dev.sortie.parallel.comm;

import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.comm.transport.shm.ThreadTransport;
import java.util.List;
import org.junit.jupiter.api.Tag;

@Tag("any-kernels")
class ThreadCommunicatorTest extends CommunicatorContract {
  @Override
  Job.Joining job(int ranks) {
    List<Transport> world = ThreadTransport.world(ranks);
    return world::get;
  }

  @Override
  boolean hasSharedMemory() {
    return true;
  }
}
