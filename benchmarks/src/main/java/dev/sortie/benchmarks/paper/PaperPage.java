package dev.sortie.benchmarks.paper;

import dev.sortie.eetuning.display.NumberText;
import dev.sortie.nn.json.JsonObject;
import java.nio.file.Path;
import java.util.List;

/** The page, {@code results.md}, and its pictures in the folder {@code results} next to it. */
public final class PaperPage {
  /** Questions of other papers: the question, its command, its page. */
  private static final List<List<String>> NEIGHBOURS =
      List.of(
          List.of(
              "The first layers here, the others on another machine",
              "`./sortie bench edge`",
              "[edge and cloud](edge.md#links)"),
          List.of(
              "The prompt is read while it is typed",
              "`./sortie bench live --model fable`",
              "[from the last key to the first token](recorded.md#live-fable)"),
          List.of(
              "The least depth that each token needs",
              "`./sortie eval --oracle`",
              "[oracle](tasks.md#what-depth-do-tokens-need)"),
          List.of(
              "Layers that share bases of low rank",
              "`./sortie convert --share-basis LAYERS`",
              "[shared bases](shared-bases.md#quality)"),
          List.of(
              "Layers used again",
              "`./sortie pretrain --cycles N`",
              "[cycles](cycles.md#does-it-pay)"),
          List.of(
              "Thresholds with a guarantee, at a confidence level or on average",
              "`./sortie calibrate --splits N`",
              "[calibration](calibration.md#does-the-guarantee-hold)"));

  private PaperPage() {}

  /**
   * Writes them.
   *
   * @param figures that every run repeats
   * @param measured speeds and memory
   * @return the page
   */
  public static Path write(Figures figures, Figures measured, Path folder) {
    JsonObject text = figures.of("sample");
    PageText page = new PageText(folder, "results");
    page.heading(1, "The paper's questions, asked again")
        .paragraph(
            "What EE-Tuning ([arXiv 2402.00518](https://arxiv.org/abs/2402.00518)) asks of Llama 2"
                + " 13B, asked of `fable`, the embedded model of 12 layers: small enough for"
                + " everybody to repeat. Made by")
        .paragraph("```sh\n# takes minutes\n./sortie bench paper --record\n```")
        .paragraph(
            "which runs the commands of this page, resumes after Ctrl-C, and keeps their figures in"
                + " [`benchmarks/paper.jsonl`](../benchmarks/paper.jsonl) and, of speed and memory,"
                + " [`benchmarks/paper-measured.jsonl`](../benchmarks/paper-measured.jsonl). All"
                + " seeds are 1. On the same kernel set (`simd512` here) two runs write the same"
                + " bytes, except under [Measured](#measured). Each block of commands makes the"
                + " figures above it; run the blocks from top to bottom.")
        .heading(2, "Model and text")
        .commands(Experiment.TEXT)
        .paragraph(
            ("`fable` (SHA-256 `%s…`) writes the text itself: %s tokens to tune on, %s to measure"
                    + " on, from other prompts. *Loss* is the negative log-likelihood in nats per"
                    + " token, *agreement* the share of tokens at which an exit predicts what the"
                    + " final layer predicts. A step reads 512 tokens. The text is sampled at"
                    + " temperatures 0.4 and 0.8, so a head that is tuned to its tokens learns a sharper"
                    + " distribution than the final layer has, and may have a lower loss. `fable` was"
                    + " pre-trained with the losses of exits after layers 3, 6 and 9, unlike the"
                    + " models of the paper: exits that are copied from its last layers agree often"
                    + " from the start.")
                .formatted(
                    figures.of("start-mlp").getString("backbone_sha256").substring(0, 12),
                    NumberText.count(tokens(text, "train")),
                    NumberText.count(tokens(text, "test"))));
    ExitQuestions exits = new ExitQuestions(figures);
    SystemQuestions system = new SystemQuestions(figures, measured);
    exits.write(page);
    system.thresholds(page);
    system.ranks(page);
    system.memory(page);
    page.heading(2, "Measured")
        .paragraph(
            measured.isEmpty()
                ? "No figures of speed are recorded."
                : "Figures of speed and memory are those of one machine and one day.")
        .heading(3, "What does it cost?")
        .paragraph("The paper: tuning takes a fraction of the time and memory of training.");
    if (!measured.isEmpty()) {
      system.cost(page);
    }
    page.commands(Experiment.COST).heading(3, "How fast is decoding?");
    if (!measured.isEmpty()) {
      system.speed(page);
    }
    page.commands(Experiment.SPEED);
    page.heading(2, "Neighbours")
        .paragraph(
            "Figures of other published ways to spend less per token are on their own pages.")
        .table(List.of("question", "command", "figures"), NEIGHBOURS)
        .heading(2, "A real model")
        .paragraph(
            "SmolLM2-135M-Instruct:"
                + " [objectives, heads and initialisation](LOG.md#five-ways-to-tune-an-exit),"
                + " [losses over steps](LOG.md#loss-over-steps),"
                + " [decoding speed](decoding-speed.md),"
                + " [the exits that come with Sortie](usage.md#exits-for-smollm2-135m-instruct)."
                + " Comparisons with other programs: [recorded](recorded.md).");
    return page.write();
  }

  private static int tokens(JsonObject text, String part) {
    return text.getObject(part).getInt("tokens", 1, Integer.MAX_VALUE);
  }
}
