/**
 * The kernels of OpenCL devices: {@link dev.sortie.opencl.OpenClKernels} decides call by call
 * whether device or host computes, {@code DeviceKernels} names and launches the device's kernels,
 * whose sources are resources, {@code Certification} tries each before its first use. A kernel
 * needs a name, a launch and a trial; tuned cuts are in the presets. Only this package may use
 * JOCL, and it knows nothing of ops or models.
 */
package dev.sortie.opencl;
