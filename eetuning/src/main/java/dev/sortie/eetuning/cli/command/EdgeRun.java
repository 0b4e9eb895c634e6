package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.option.DecodingMixin;
import dev.sortie.eetuning.cli.option.DecodingMixin.Decoding;
import dev.sortie.eetuning.cli.option.EdgeMixin;
import dev.sortie.eetuning.cli.option.ModelMixin;
import dev.sortie.eetuning.decode.edge.EdgeDecoder;
import dev.sortie.eetuning.decode.pipeline.DecodingStages;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.parallel.comm.transport.tcp.LinkKeys;
import dev.sortie.parallel.launch.RankEnvironment;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.util.List;

/** The edge of {@code generate --cloud}, from options: loads its layers and exits, no more. */
record EdgeRun(ModelMixin model, DecodingMixin decoding, EdgeMixin edge, Decoding options) {

  /** What is done with the loaded edge. */
  interface Body {
    /**
     * @param m with the layers of the edge
     * @param depths of its exits
     */
    void run(LanguageModel m, EdgeDecoder decoder, List<Integer> depths);
  }

  /** Loads, runs and closes. */
  void load(Device opened, Body body) {
    LinkKeys keys = RankEnvironment.linkKeys(System.getenv());
    EdgeDecoder.Settings settings = decoding.settings(options, edge, keys);
    try (LanguageModel m = model.load(opened, c -> DecoderBuilder.part(plan(c).tensors(0)), false);
        NativeArena arena = new NativeArena("exits")) {
      DecoderConfig config = m.config().decoder();
      List<Integer> depths = plan(config).exits().stream().map(ExitOutline::depth).toList();
      Exits exits = decoding.exits(options, m, depths::contains, arena, m.device());
      body.run(m, new EdgeDecoder(m, exits, edge.layers(config), settings), depths);
    }
  }

  /** The edge and the cloud, as two stages. */
  private DecodingStages plan(DecoderConfig config) {
    int layers = edge.layers(config);
    return new DecodingStages(
        config, decoding.edgeExits(options, config, layers), List.of(layers, config.layers()));
  }
}
