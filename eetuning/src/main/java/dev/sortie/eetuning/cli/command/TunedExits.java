package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.option.ModelMixin;
import dev.sortie.eetuning.cli.option.StartExitsMixin;
import dev.sortie.eetuning.cli.option.TrainingMixin;
import dev.sortie.eetuning.cli.view.ExitTable;
import dev.sortie.eetuning.cli.view.TrainingView;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.train.data.DatasetSource;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.tune.ExitTuner;
import dev.sortie.eetuning.train.tune.FinishedExits;
import dev.sortie.eetuning.train.tune.TuneOptions;
import dev.sortie.eetuning.train.tune.TuningMetadata;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.util.Map;

/**
 * The end of {@code tune}: writes the exits of a run that is done, with gates fitted to them.
 *
 * @param start exits that the run began with
 * @param gateTokens tokens of text to which gates are fitted; 0 for none
 * @param sequence whether ranks that share weights share out the tokens too
 */
record TunedExits(
    ModelMixin model,
    TrainingMixin training,
    StartExitsMixin start,
    int gateTokens,
    boolean sequence,
    Device device,
    TrainingView view) {

  /**
   * Whether rank 0 reads the exits from the last checkpoint: no rank of a pipeline holds them all,
   * and gates need all layers, and neighbouring tokens. Ranks that share whole layers fit gates
   * together; without gates reading takes less memory than to put shares together.
   */
  boolean arePutTogether(ProcessGroups groups) {
    return groups.mesh().pp() > 1 || sequence || groups.mesh().tp() > 1 && gateTokens == 0;
  }

  /**
   * Writes the exits that a tuner holds: of ranks that share them, all put them together and the
   * first one writes.
   */
  void write(ExitTuner tuner, LanguageModel m, DatasetSource data, ProcessGroups groups) {
    if (groups.coordinates().dp() > 0) {
      return; // replicas have the same
    }
    Map<String, Object> tuning = TuningMetadata.withData(tuner.describe(), data);
    Exits exits = gateTokens == 0 ? tuner.exits(tuning) : tuner.gated(tuning, gateTokens);
    if (groups.leads()) {
      write(exits, m);
    } else {
      ExitsFile.contribute(exits, m);
    }
  }

  /** Writes the exits of a job of which no rank computes with all layers and tokens. */
  void putTogether(TuneOptions options) {
    try (LanguageModel m =
            gateTokens == 0
                ? model.loadUnread(device)
                : model.load(device, DecoderBuilder.WHOLE, true);
        DatasetSource data = training.madeDataset(m.tokenizer());
        NativeArena arena = new NativeArena("exits")) {
      FinishedExits finished = new FinishedExits(m, start.read(m, arena, device), data, device);
      Exits exits = finished.read(training.out, arena);
      Map<String, Object> tuning =
          TuningMetadata.withData(
              TuningMetadata.of(options, exits, data, m.config().decoder()), data);
      Exits tuned = exits.with(tuning);
      write(gateTokens == 0 ? tuned : finished.gated(tuned, gateTokens, arena), m);
    }
  }

  private void write(Exits tuned, LanguageModel m) {
    ExitsFile.write(training.out, tuned, m);
    ExitTable.printGates(tuned, view::say);
  }
}
