package dev.sortie.eetuning.doctor;

import com.sun.management.OperatingSystemMXBean;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.tensor.concurrent.Cores;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.device.KernelSets;
import dev.sortie.tensor.device.KernelSpeed;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Looks at the machine and the JVM, topic by topic. Takes about a second. */
public final class Examination {
  private static final Path CPUINFO = Path.of("/proc/cpuinfo");

  private Examination() {}

  /**
   * All topics.
   *
   * @param devices opens the device that commands would use
   * @param tune how long each device other than the CPU is tuned, if it is to be
   */
  public static List<Topic> run(Supplier<Device> devices, Optional<Duration> tune) {
    Jvm jvm = Jvm.running();
    long heap = Runtime.getRuntime().maxMemory();
    List<Topic> topics = new ArrayList<>();
    topics.add(JavaTopic.of(jvm, heap));
    int threads = Cores.physical();
    try (Device device = devices.get()) {
      threads = device.pool().threads();
      topics.add(
          KernelsTopic.of(
                  device.kernels().name(),
                  System.getProperty(KernelSets.PROPERTY, ""),
                  jvm,
                  CpuVectors.bits(lines(CPUINFO)))
              .fact("arithmetic_of_blocks", Arithmetic.INTEGER.on(device).word()));
      if (jvm.compiles()) {
        topics.add(SpeedTopic.of(KernelSpeed.measure(device.pool())));
      }
    } catch (InputException | NoClassDefFoundError e) {
      topics.add(KernelsTopic.none(String.valueOf(e.getMessage())));
    }
    topics.add(1, machine(threads, heap));
    topics.add(
        HugePagesTopic.of(
            NativeArena.hugePagesOffered(),
            String.join(" ", lines(Path.of(HugePagesTopic.SWITCH)))));
    topics.addAll(DevicesTopic.all(tune));
    topics.add(MpiTopic.find());
    return topics;
  }

  private static Topic machine(int threads, long heap) {
    long memory = 0;
    long free = 0;
    if (ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean os) {
      memory = os.getTotalMemorySize();
      free = os.getFreeMemorySize();
    }
    return MachineTopic.of(Cores.logical(), Cores.physical(), threads, memory, free, heap);
  }

  /** The lines of a file of the system, none where it has no such file. */
  private static List<String> lines(Path file) {
    try {
      return Files.isReadable(file)
          ? Files.readAllLines(file, StandardCharsets.ISO_8859_1)
          : List.of();
    } catch (IOException e) {
      return List.of();
    }
  }
}
