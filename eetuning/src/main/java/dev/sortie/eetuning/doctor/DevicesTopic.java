package dev.sortie.eetuning.doctor;

import dev.sortie.tensor.kernel.DeviceProvider;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** Devices other than the CPU, from the modules that are there. */
final class DevicesTopic {
  private DevicesTopic() {}

  /** One topic a module; one that says so if there is none. */
  static List<Topic> all() {
    return all(ServiceLoader.load(DeviceProvider.class).iterator());
  }

  static List<Topic> all(Iterator<DeviceProvider> providers) {
    List<Topic> topics = new ArrayList<>();
    try {
      while (providers.hasNext()) {
        topics.add(of(providers.next()));
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

  private static Topic of(DeviceProvider provider) {
    DeviceProvider.Found found = provider.find();
    Topic t = new Topic(provider.name().toLowerCase(Locale.ROOT)).fact("devices", found.devices());
    return found.remark().isEmpty() ? t : t.fact("remark", found.remark());
  }
}
