package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.doctor.LinksTopic;
import dev.sortie.eetuning.doctor.Topic;
import dev.sortie.nn.json.Json;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.group.GroupCommunicator;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.launch.Ranks;
import java.io.PrintStream;
import java.util.Map;

/** What {@code doctor --comm} prints: all ranks measure, rank 0 speaks. */
public final class LinksView {
  private LinksView() {}

  public static void print(boolean json, PrintStream out) {
    try (Transport transport = Ranks.join(System.getenv());
        Communicator communicator = GroupCommunicator.over(transport, CommOptions.defaults())) {
      if (transport.rank().value() == 0) {
        Topic topic = LinksTopic.of(transport.name(), communicator);
        if (json) {
          out.println(Json.compact(Map.of(topic.name(), topic.facts())));
        } else {
          out.println(topic.name());
          topic.facts().forEach((key, value) -> out.println("  " + key + ": " + value));
        }
      }
      communicator.barrier();
    }
  }
}
