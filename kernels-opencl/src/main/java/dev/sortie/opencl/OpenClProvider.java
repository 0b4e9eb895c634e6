package dev.sortie.opencl;

import dev.sortie.tensor.device.DeviceProvider;
import dev.sortie.tensor.kernel.Kernels;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jocl.CLException;

/** The OpenCL devices of this machine. */
public final class OpenClProvider implements DeviceProvider {
  /** For {@link java.util.ServiceLoader}. */
  public OpenClProvider() {}

  @Override
  public String name() {
    return "OpenCL";
  }

  @Override
  public Found find() {
    OpenClDevices found = OpenClDevices.list();
    return new Found(
        found.devices().stream().map(OpenClProvider::describe).toList(), found.reason());
  }

  @Override
  public Kernels open(int index, Kernels host) {
    return open(index, host, OpenClOptions.usual());
  }

  /**
   * Opens device {@code index} in the order of {@link #find}.
   *
   * @param host does what the device cannot
   * @throws IllegalArgumentException in one line, if there is no such device or it does not open
   */
  public static OpenClKernels open(int index, Kernels host, OpenClOptions options) {
    return open(index, host, options, UnaryOperator.identity());
  }

  static OpenClKernels open(
      int index, Kernels host, OpenClOptions options, UnaryOperator<String> edit) {
    ClDevice device = device(index);
    BinaryCache cache = new BinaryCache(options.cache().orElse(null));
    Preset usual = Preset.of(device, options.preset());
    Preset preset = tuning(device, usual, cache, options).map(t -> t.apply(usual)).orElse(usual);
    return new OpenClKernels(engine(index, device, preset, cache, options, edit), host);
  }

  private static ClDevice device(int index) {
    ClPlatforms found = ClPlatforms.ask();
    if (found.devices().isEmpty()) {
      throw new IllegalArgumentException(found.reason());
    }
    if (index < 0 || index >= found.devices().size()) {
      throw new IllegalArgumentException(
          "there is no OpenCL device "
              + index
              + "; this machine has "
              + found.devices().size()
              + ", counted from 0, which doctor lists");
    }
    return found.devices().get(index);
  }

  private static Optional<Tuning> tuning(
      ClDevice device, Preset usual, BinaryCache cache, OpenClOptions options) {
    return options.tuned() ? new Tunings(cache, device, usual).load() : Optional.empty();
  }

  private static Engine engine(
      int index,
      ClDevice device,
      Preset preset,
      BinaryCache cache,
      OpenClOptions options,
      UnaryOperator<String> edit) {
    try {
      ClSession session = new ClSession(device);
      boolean share = options.shareMemory() && device.hostUnified();
      ClPrograms programs = new ClPrograms(session, preset, cache, edit);
      ClMemory memory = new ClMemory(session, share);
      return new Engine(session, memory, programs, new DeviceScratch(session), preset);
    } catch (CLException e) {
      throw new IllegalArgumentException(
          "OpenCL device "
              + index
              + ", "
              + device.about().name()
              + ", does not open: "
              + e.getMessage(),
          e);
    }
  }

  @Override
  public String tuning(int index) {
    return tuning(index, OpenClOptions.usual());
  }

  static String tuning(int index, OpenClOptions options) {
    ClDevice device = device(index);
    Preset usual = Preset.of(device, options.preset());
    BinaryCache cache = new BinaryCache(options.cache().orElse(null));
    return tuning(device, usual, cache, options)
        .map(OpenClProvider::describe)
        .orElse("none: kernels are cut as is usual for a " + usual.name());
  }

  @Override
  public String tune(int index, Duration limit) {
    return tune(index, limit, OpenClOptions.usual(), List.of(Family.values()));
  }

  static String tune(int index, Duration limit, OpenClOptions options, List<Family> families) {
    ClDevice device = device(index);
    Preset usual = Preset.of(device, options.preset());
    BinaryCache cache = new BinaryCache(options.cache().orElse(null));
    UnaryOperator<String> asIs = UnaryOperator.identity();
    try (Engine engine = engine(index, device, usual, cache, options, asIs)) {
      Tuning tuning = new KernelTuner(engine, cache).run(limit, families);
      new Tunings(cache, device, usual).store(tuning);
      String kept = cache.keeps() ? "" : "; not kept, since the cache folder is not private";
      return describe(tuning) + kept;
    }
  }

  private static String describe(Tuning tuning) {
    if (tuning.choices().isEmpty()) {
      return "none: the time was too short to measure anything";
    }
    return tuning.choices().entrySet().stream()
        .map(e -> describe(e.getKey(), e.getValue()))
        .collect(Collectors.joining("; "));
  }

  private static String describe(Family family, Tuning.Choice choice) {
    return String.format(
        Locale.ROOT,
        choice.gain() > 1 ? "%s %s, %.2f times the usual speed" : "%s %s, as usual",
        family.name().toLowerCase(Locale.ROOT),
        choice.cut(),
        choice.gain());
  }

  private static String describe(OpenClDevice d) {
    return "%s (%s, %s, %d compute units, %.1f GiB, %s)"
        .formatted(
            d.name(),
            d.type().name().toLowerCase(Locale.ROOT),
            d.platform(),
            d.computeUnits(),
            (double) d.globalMemory() / (1L << 30),
            d.version());
  }
}
