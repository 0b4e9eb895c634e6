package dev.sortie.opencl;

import java.lang.System.Logger;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jocl.CLException;

/**
 * Trust in a device, kernel by kernel. Before a kernel is used for the first time it computes a
 * {@link Trial} whose result is known; one that gives anything else, writes outside its operands,
 * or does not compile on this driver is named, and never used.
 */
final class Certification {
  private static final Logger LOG = System.getLogger(Certification.class.getName());

  private final String device;
  private final Engine engine;
  private final Set<String> passed = new HashSet<>();
  private final Map<String, String> disabled = new TreeMap<>();

  Certification(Engine engine) {
    device = engine.session().device().about().name();
    this.engine = engine;
  }

  /** Whether a kernel may be used; tried now if it never was. */
  boolean passes(String kernel) {
    if (passed.contains(kernel)) {
      return true;
    }
    if (disabled.containsKey(kernel)) {
      return false;
    }
    String wrong = trial(kernel);
    if (wrong.isEmpty()) {
      passed.add(kernel);
      return true;
    }
    disabled.put(kernel, wrong);
    LOG.log(
        Logger.Level.WARNING,
        "OpenCL kernel \"{0}\" is not used on {1}, the CPU does its work: {2}",
        kernel,
        device,
        wrong);
    return false;
  }

  /** What is wrong with a kernel, in the words of its trial; empty if nothing is. */
  String trial(String kernel) {
    try {
      return KernelTrials.of(kernel, engine).run();
    } catch (ClPrograms.BuildException | CLException e) {
      return String.valueOf(e.getMessage());
    }
  }

  /** Kernels that are not used, and why. */
  Map<String, String> disabled() {
    return Map.copyOf(disabled);
  }
}
