package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.option.DecodingMixin;
import dev.sortie.eetuning.cli.option.DecodingMixin.Decoding;
import dev.sortie.eetuning.cli.option.ModelMixin;
import dev.sortie.eetuning.cli.option.PipelineMixin;
import dev.sortie.eetuning.decode.pipeline.DecodingRanks;
import dev.sortie.eetuning.decode.pipeline.DecodingStages;
import dev.sortie.eetuning.decode.pipeline.PipelinedDecoder;
import dev.sortie.eetuning.decode.pipeline.StageLinks;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.StageTensors;
import dev.sortie.parallel.shard.ShardBuilder;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.util.List;

/**
 * One rank of the pipeline of {@code generate --pp}, from options: it loads the layers and exits of
 * its stage, and nothing else.
 */
record PipelineRun(
    ModelMixin model, DecodingMixin decoding, PipelineMixin pipeline, Decoding options) {

  /** What is done with the loaded stage. */
  interface Body {
    /**
     * @param m with the layers of this stage
     * @param decoder of this rank
     * @param depths of all exits that may be asked
     */
    void run(LanguageModel m, PipelinedDecoder decoder, List<Integer> depths);
  }

  /** Loads, runs and closes. */
  void load(DecodingRanks ranks, Device opened, Body body) {
    try (StageLinks links = new StageLinks(ranks.all(), ranks.mesh());
        LanguageModel m = part(ranks, links, opened);
        NativeArena arena = new NativeArena("exits")) {
      Device device = m.device();
      DecodingStages plan = plan(m.config().decoder());
      List<Integer> depths = plan.exits().stream().map(ExitOutline::depth).toList();
      int stage = links.stage();
      Exits exits =
          depths.isEmpty()
              ? Exits.none()
              : decoding.exits(
                  options,
                  m,
                  depth -> depths.contains(depth) && plan.holds(stage, depth),
                  arena,
                  device);
      body.run(
          m,
          new PipelinedDecoder(
              m.decoder(),
              exits,
              plan,
              links,
              device,
              decoding.settings(options, pipeline.texts(), pipeline.traced())),
          depths);
    }
  }

  private LanguageModel part(DecodingRanks ranks, StageLinks links, Device device) {
    return model.load(
        device,
        config -> {
          DecodingStages plan = plan(config);
          if (ranks.leads()) {
            plan.describe().forEach(line -> System.err.println("generate: " + line));
          }
          StageTensors needed = plan.tensors(links.stage());
          return links
              .shares()
              .<DecoderBuilder>map(g -> new ShardBuilder(g, false, needed))
              .orElseGet(() -> DecoderBuilder.part(needed));
        },
        !ranks.leads());
  }

  private DecodingStages plan(DecoderConfig config) {
    return pipeline.stages(config, decoding.outlines(options, config));
  }
}
