package dev.sortie.nn.hub;

import java.nio.file.Path;
import java.util.Map;

/** A pull in a process of its own, to be killed. Arguments: endpoint, cache. */
final class PullRun {
  private PullRun() {}

  public static void main(String[] args) {
    HubSettings settings =
        HubSettings.of(
            Map.of("HF_ENDPOINT", args[0], "HF_HUB_CACHE", args[1], "HF_TOKEN", FakeHub.TOKEN),
            Path.of(args[1]));
    new Pull(settings, PullListener.NONE).run(FakeHub.REPO, "main", new FileChoice.Runnable());
  }
}
