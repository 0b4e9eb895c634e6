package dev.sortie.eetuning.doctor;

import dev.sortie.tensor.device.DeviceProvider;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** Devices other than the CPU, from the modules that are there. */
final class DevicesTopic {
  private DevicesTopic() {}

  /**
   * One topic a module; one that says so if there is none.
   *
   * @param tune how long each device is tuned before, if it is to be
   */
  static List<Topic> all(Optional<Duration> tune) {
    return all(ServiceLoader.load(DeviceProvider.class).iterator(), tune);
  }

  static List<Topic> all(Iterator<DeviceProvider> providers, Optional<Duration> tune) {
    List<Topic> topics = new ArrayList<>();
    try {
      while (providers.hasNext()) {
        topics.add(of(providers.next(), tune));
      }
    } catch (ServiceConfigurationError e) {
      topics.add(
          new Topic("devices").fact("remark", "a module for other devices cannot be loaded: " + e));
    }
    if (topics.isEmpty()) {
      topics.add(new Topic("devices").fact("remark", "no module for other devices is installed"));
    }
    return topics;
  }

  private static Topic of(DeviceProvider provider, Optional<Duration> tune) {
    DeviceProvider.Found found = provider.find();
    Topic t = new Topic(provider.name().toLowerCase(Locale.ROOT)).fact("devices", found.devices());
    List<String> tunings = new ArrayList<>();
    for (int i = 0; i < found.devices().size(); i++) {
      tunings.add(tuning(provider, i, tune));
    }
    if (!tunings.isEmpty()) {
      t.fact("tuning", tunings);
    }
    return found.remark().isEmpty() ? t : t.fact("remark", found.remark());
  }

  /** What the device was tuned to, or why it cannot be. */
  private static String tuning(DeviceProvider provider, int index, Optional<Duration> tune) {
    try {
      return tune.isPresent() ? provider.tune(index, tune.get()) : provider.tuning(index);
    } catch (IllegalArgumentException e) {
      return "none: " + e.getMessage();
    }
  }
}
