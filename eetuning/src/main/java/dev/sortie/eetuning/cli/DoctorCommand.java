package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.doctor.Examination;
import dev.sortie.eetuning.doctor.Topic;
import dev.sortie.nn.format.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Says what Sortie found on this machine. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description =
        "JDK, flags, cores, memory, chosen kernels and their speed, huge pages, OpenCL devices, MPI;"
            + " what is slow and how to mend it.")
final class DoctorCommand implements Callable<Integer> {
  @Mixin private ComputeOptions compute;

  @Option(names = "--json", description = "One JSON object a topic.")
  private boolean json;

  @Override
  public Integer call() {
    List<Topic> topics = Examination.run(compute::open);
    List<String> advice = topics.stream().flatMap(topic -> topic.advice().stream()).toList();
    if (json) {
      Map<String, Object> root = new LinkedHashMap<>();
      topics.forEach(topic -> root.put(topic.name(), topic.facts()));
      root.put("advice", advice);
      System.out.println(Json.compact(root));
      return 0;
    }
    for (Topic topic : topics) {
      System.out.println(topic.name());
      topic.facts().forEach((key, value) -> System.out.println("  " + key + ": " + value));
    }
    System.out.println(advice.isEmpty() ? "nothing to mend" : "to mend");
    advice.forEach(sentence -> System.out.println("  " + sentence));
    return 0;
  }
}
