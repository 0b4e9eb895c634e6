/**
 * The tensor engine: off-heap tensors, eager reverse-mode ops, and the kernels that run them. The
 * JDK alone.
 */
module dev.sortie.tensor {
  requires jdk.incubator.vector;

  exports dev.sortie.tensor;
  exports dev.sortie.tensor.autograd;
  exports dev.sortie.tensor.concurrent;
  exports dev.sortie.tensor.device;
  exports dev.sortie.tensor.dtype;
  exports dev.sortie.tensor.kernel;
  exports dev.sortie.tensor.kernel.tile;
  exports dev.sortie.tensor.memory;

  uses dev.sortie.tensor.device.DeviceProvider;
}
