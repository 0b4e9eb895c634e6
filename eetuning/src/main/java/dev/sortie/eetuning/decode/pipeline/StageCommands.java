package dev.sortie.eetuning.decode.pipeline;

import dev.sortie.eetuning.decode.pipeline.StageCommand.Close;
import dev.sortie.eetuning.decode.pipeline.StageCommand.Fill;
import dev.sortie.eetuning.decode.pipeline.StageCommand.Prompt;
import dev.sortie.eetuning.decode.pipeline.StageCommand.Stop;
import dev.sortie.eetuning.decode.pipeline.StageCommand.Tokens;
import dev.sortie.tensor.kernel.Kernels;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What a rank's stage does next. Ranks that share a stage's weights must do the same in the same
 * order, whenever what they work on reaches each of them: the first one decides, and says it in
 * {@link StageLinks#DECISION} numbers.
 */
interface StageCommands {

  /**
   * The next order.
   *
   * @param canFill whether tokens that left early wait for layers of this stage
   */
  StageCommand next(boolean canFill);

  /**
   * Of the first stage, whose commands are numbers alone.
   *
   * @param driver null on ranks that do not decide
   */
  record First(StageLinks links, PipelineDriver driver) implements StageCommands {
    private static final int PROMPT = 0;
    private static final int TOKENS = 1;
    private static final int FILL = 2;
    private static final int CLOSE = 3;
    private static final int STOP = 4;

    @Override
    public StageCommand next(boolean canFill) {
      return command(links.agreed(() -> numbers(driver.next(canFill))));
    }

    private static long[] numbers(StageCommand command) {
      long[] n = new long[StageLinks.DECISION];
      switch (command) {
        case Prompt p -> put(n, 0, PROMPT, p.text(), p.from(), p.to());
        case Tokens t -> {
          put(n, 0, TOKENS, t.rows().size());
          for (int i = 0; i < t.rows().size(); i++) {
            StageCommand.Row r = t.rows().get(i);
            put(n, 2 + 4 * i, r.text(), r.position(), r.id(), r.pending());
          }
        }
        case Fill f -> put(n, 0, FILL);
        case Close c -> put(n, 0, CLOSE, c.text());
        case Stop s -> put(n, 0, STOP);
      }
      return n;
    }

    private static void put(long[] n, int at, long... numbers) {
      System.arraycopy(numbers, 0, n, at, numbers.length);
    }

    private static StageCommand command(long[] n) {
      return switch ((int) n[0]) {
        case PROMPT -> new Prompt((int) n[1], (int) n[2], (int) n[3], new float[0]);
        case TOKENS ->
            new Tokens(IntStream.range(0, (int) n[1]).mapToObj(i -> row(n, 2 + 4 * i)).toList());
        case FILL -> new Fill();
        case CLOSE -> new Close((int) n[1]);
        case STOP -> new Stop();
        default -> throw new IllegalStateException("decision " + n[0]);
      };
    }

    private static StageCommand.Row row(long[] n, int at) {
      return new StageCommand.Row(
          (int) n[at], (int) n[at + 1], (int) n[at + 2], true, (int) n[at + 3], null, new float[0]);
    }
  }

  /**
   * Of the stages behind, which do what comes from the stage before: tokens that have come by now
   * together, up to a batch of stable rows, so that weights are read once for them.
   *
   * @param in from the stage before
   */
  record Later(StageLinks links, ReceiveQueue<StageCommand> in) implements StageCommands {

    @Override
    public StageCommand next(boolean canFill) {
      List<StageCommand> taken = new ArrayList<>();
      long count = links.agreed(() -> decision(canFill, taken))[0];
      while (taken.size() < count) {
        taken.add(in.take()); // on ranks that do not decide
      }
      if (count == 0) {
        return new Fill();
      }
      return count == 1
          ? taken.getFirst()
          : new Tokens(taken.stream().flatMap(o -> ((Tokens) o).rows().stream()).toList());
    }

    /** How many messages to take; 0 to fill. */
    private long[] decision(boolean canFill, List<StageCommand> taken) {
      if (!canFill || in.peek() != null) {
        taken.add(in.take());
        while (taken.getLast() instanceof Tokens
            && taken.size() < Kernels.ROW_STABLE
            && in.peek() instanceof Tokens) {
          taken.add(in.take());
        }
      }
      long[] n = new long[StageLinks.DECISION];
      n[0] = taken.size();
      return n;
    }
  }
}
