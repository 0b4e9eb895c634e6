package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.decode.edge.LinkType;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.model.DecoderConfig;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** Options of decoding with the first layers here and the others in the cloud. */
public final class EdgeMixin {
  private static final Pattern ADDRESS =
      Pattern.compile("\\[?([A-Za-z0-9._:-]+?)\\]?:([0-9]{1,5})");

  private static final int TIMEOUT = 2000;

  @Option(
      names = "--edge",
      paramLabel = "N",
      description =
          "Compute the first N layers here and ask the --cloud for tokens at which no "
              + "exit of --exits up to layer N is confident. Needs an exit after layer "
              + "N. See docs/edge.md.")
  private Integer layers;

  @Option(
      names = "--cloud",
      paramLabel = "HOST:PORT",
      description =
          "With --edge: where the command cloud computes the other layers. Both sides "
              + "need the same secret in SORTIE_JOB_TOKEN. If it does not answer, the exit "
              + "after layer N decides; such tokens are marked and the exit code is 3.")
  private String cloud;

  @Option(
      names = "--cloud-timeout",
      paramLabel = "MS",
      description =
          "With --edge: how long to wait for an answer of the cloud, in milliseconds; "
              + "ten times as long for the first. Default: "
              + TIMEOUT
              + ".")
  private Integer timeout;

  @Option(
      names = "--link-type",
      paramLabel = "TYPE",
      defaultValue = "f32",
      description =
          "With --edge: type in which hidden states are sent: f32, bf16 or q8_0. Only "
              + "f32 gives the text of one process. Default: ${DEFAULT-VALUE}.")
  private LinkType type;

  /** For picocli. */
  public EdgeMixin() {}

  /** Checks options that go together; returns whether there is a cloud. */
  public boolean isGiven() {
    if ((layers == null) != (cloud == null)) {
      throw new UsageException("--edge N and --cloud HOST:PORT go together; give both");
    }
    if (layers == null && type != LinkType.F32) {
      throw new UsageException("--link-type " + type.word() + " needs --edge N");
    }
    if (layers == null && timeout != null) {
      throw new UsageException("--cloud-timeout " + timeout + " needs --edge N");
    }
    if (timeout != null && timeout < 1) {
      throw new UsageException("--cloud-timeout " + timeout + " must be at least 1");
    }
    return layers != null;
  }

  /** Layers that are computed here. */
  public int layers(DecoderConfig config) {
    if (layers < 1 || layers >= config.layers()) {
      throw new InputException(
          "--edge %d is outside 1 to %d; the model has %d layers, and the last is the cloud's"
              .formatted(layers, config.layers() - 1, config.layers()));
    }
    return layers;
  }

  /** The machine of the cloud. */
  public String host() {
    return address().group(1);
  }

  /** Its port. */
  public int port() {
    return Ports.called("--cloud " + cloud, address().group(2));
  }

  private Matcher address() {
    Matcher m = ADDRESS.matcher(cloud);
    if (!m.matches()) {
      throw new UsageException(
          "--cloud '" + cloud + "' is not a host and a port, as in localhost:7070");
    }
    return m;
  }

  /** How long to wait for the cloud. */
  public Duration timeout() {
    return Duration.ofMillis(timeout == null ? TIMEOUT : timeout);
  }

  /** In what type states travel. */
  public LinkType type() {
    return type;
  }
}
