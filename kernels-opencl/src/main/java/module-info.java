/** OpenCL through JOCL. Nothing but benchmarks and tests depends on this module at compile time. */
module dev.sortie.opencl {
  requires transitive dev.sortie.tensor;
  requires jocl;

  exports dev.sortie.opencl;

  provides dev.sortie.tensor.device.DeviceProvider with
      dev.sortie.opencl.OpenClProvider;
}
