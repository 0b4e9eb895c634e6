/**
 * Where tensors are computed: a {@link dev.sortie.tensor.device.Device} is a kernel set and its
 * threads, chosen by name. Kernel sets are listed here and measured, those of other devices are
 * found as services. It stands above the kernels, which must not know how they were chosen.
 */
package dev.sortie.tensor.device;
