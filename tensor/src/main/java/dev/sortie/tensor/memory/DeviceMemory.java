package dev.sortie.tensor.memory;

/**
 * The memory of a device, which has the newest contents of some storages. Storages ask it before
 * the host gets at their bytes.
 */
public interface DeviceMemory {
  /**
   * Returns when the host may touch the storage: what the device is writing has arrived.
   *
   * @param writes whether the host may change it, so that what the device holds no longer counts
   */
  void beforeHost(Storage storage, boolean writes);
}
