package dev.sortie.eetuning.decode.pass;

import dev.sortie.eetuning.decode.PromptStates;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.LayerPasses.Rows;
import dev.sortie.eetuning.decode.policy.ExitEvidence;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Early exit with <em>deferred completion</em>: brings tokens of texts down through layers, each to
 * where it leaves, and keeps their KV caches exact. It is the same for one text, for several in one
 * pass, with drafts, which are more rows of their text, and for one stage of a pipeline, which has
 * some of the layers.
 *
 * <p>Exits cut the backbone into segments. A token that leaves at an exit keeps its hidden state
 * there (a deficit token: the layers above lack its keys and values). When a later token of its
 * text goes deeper, the segment above runs once over all deficit tokens and that token together, so
 * its attention sees every key. Nothing that is already right is computed again, and since a batch
 * of up to {@link Kernels#ROW_STABLE} rows gives each row the bits that it gets alone, the cache
 * has the same bits as if every token had gone through all layers one by one. In each segment the
 * positions done are a prefix, those pending a suffix, and deeper segments lag behind shallower
 * ones; one counter a segment says it all. The own layer of an exit waits in the same way for the
 * next token about which the exit is asked, until a stable batch is full.
 *
 * <p>Draft tokens go down with the token just chosen. After a draft token that was right the answer
 * is often there already: an exit that was asked about all of them at once is confident, or they
 * have been taken along to the end. Who leaves where does not depend on that, nor on the other
 * texts: {@link dev.sortie.eetuning.decode.policy.ExitSchedule} says which exits are asked. So
 * company and draft tokens decide how fast a text comes, never which.
 */
public final class Descent implements AutoCloseable {
  private final Decoder decoder;
  private final List<Segment> segments;
  private final WorkerPool pool;
  private final Workspace workspace = new Workspace();
  private final Ops ops;
  private final LayerPasses passes;
  private final PrefillPass prompts;

  /** Gets what follows the token of a text, as soon as it is known. */
  @FunctionalInterface
  public interface Answers {
    void take(SequenceState text, Step step);
  }

  /**
   * Through some layers.
   *
   * @param segments all that there are, or those of one stage
   */
  public Descent(Decoder decoder, List<Segment> segments, Device device) {
    this(decoder, segments, device, Kernels.ROW_STABLE);
  }

  /**
   * Through some layers.
   *
   * @param segments all that there are, or those of one stage
   * @param rows of a pass at most; with more than {@link Kernels#ROW_STABLE} nothing of what is
   *     said above holds of the bits of passes that have more, and there are no exits
   */
  public Descent(Decoder decoder, List<Segment> segments, Device device, int rows) {
    this.decoder = decoder;
    this.segments = segments;
    this.pool = device.pool();
    this.ops = new Ops(device, workspace);
    this.passes = new LayerPasses(decoder, ops, rows);
    this.prompts = new PrefillPass(decoder, ops, passes);
  }

  /** Ops whose temporaries are given back after each {@link #step}. */
  public Ops ops() {
    return ops;
  }

  /** The segments, shallow first. */
  public List<Segment> segments() {
    return segments;
  }

  /**
   * Runs {@code body} without gradients and gives its temporaries back. The result must not live in
   * the workspace.
   */
  public <T> T step(Supplier<T> body) {
    try {
      return NoGrad.call(body);
    } finally {
      workspace.reset();
    }
  }

  /**
   * Brings the next token of each text, which was begun, through the layers. If that fails, no text
   * has read any.
   *
   * @param texts whose tokens begun are one pass at most
   * @return the texts that have no answer, at the outlet
   */
  public List<SequenceState> run(List<SequenceState> texts, Answers answers) {
    try {
      embed(texts);
      texts.forEach(SequenceState::start);
      List<SequenceState> live = texts;
      for (Segment g : segments) {
        if (live.isEmpty() || g.isOutlet()) {
          break;
        }
        passes.run(g, behind(g, live));
        if (g.exit().isPresent()) {
          live = ask(g, g.exit().get(), live, answers);
        }
      }
      live.forEach(SequenceState::leavesBelow);
      if (!live.isEmpty() && !segments.getLast().isOutlet()) {
        answer(live, answers);
        live = List.of();
      }
      texts.forEach(SequenceState::readOne);
      return live;
    } catch (RuntimeException e) {
      texts.forEach(SequenceState::cut);
      throw e;
    }
  }

  /** Puts vectors of tokens that are new where the first segment reads them. */
  private void embed(List<SequenceState> texts) {
    Segment first = segments.getFirst();
    List<Rows> rows = first.from() == 0 ? behind(first, texts) : List.of();
    if (rows.isEmpty()) {
      return;
    }
    int[] ids = rows.stream().flatMapToInt(r -> Arrays.stream(r.text().unread())).toArray();
    int[] at = new int[ids.length];
    int row = 0;
    for (Rows r : rows) {
      for (int p = r.first(); p < r.end(); p++) {
        at[row++] = p;
      }
    }
    Tensor x = decoder.embed(ops, Tensor.ids(ops.workspace(), Shape.of(ids.length, 1), ids), at);
    row = 0;
    for (Rows r : rows) {
      r.text().at(first).arrive(r.first(), Sequence.rows(x, row, row + r.count()));
      row += r.count();
    }
  }

  /** The rows that texts have begun and a segment has not done, where their tokens need it. */
  private static List<Rows> behind(Segment g, List<SequenceState> texts) {
    List<Rows> rows = new ArrayList<>(texts.size());
    for (SequenceState s : texts) {
      if (s.done(g) <= s.position()) {
        rows.add(new Rows(s, s.done(g), s.ahead()));
      }
    }
    return rows;
  }

  /** Asks an exit; returns the texts that go deeper. */
  private List<SequenceState> ask(Segment g, Exit exit, List<SequenceState> live, Answers answers) {
    List<SequenceState> asked = new ArrayList<>(live.size());
    List<Rows> unread = new ArrayList<>(live.size());
    List<Rows> waiting = new ArrayList<>(live.size());
    for (SequenceState s : live) {
      int p = s.position();
      if (s.asks(g) && worthwhile(s, exit, g)) {
        asked.add(s);
        if (!s.at(g).heads.has(p)) {
          unread.add(new Rows(s, p, s.ahead()));
        }
      } else if (p + 1 - s.at(g).exitDone >= Kernels.ROW_STABLE) {
        waiting.addAll(LayerPasses.waiting(g, s, p + 1));
      }
    }
    passes.fillExit(g, waiting);
    if (!unread.isEmpty()) {
      readHead(g, exit, unread);
    }
    List<SequenceState> deeper = new ArrayList<>(live);
    for (SequenceState s : asked) {
      ExitEvidence evidence = s.at(g).evidence(s.position(), s.said());
      s.said(evidence.said());
      double confidence = s.policy.confidence(evidence);
      if (s.policy.exits(exit.depth(), confidence)) {
        answers.take(s, s.reader.read(evidence.answer(), exit.depth(), confidence));
        s.leaves(g);
        deeper.remove(s);
      }
    }
    return deeper;
  }

  private boolean worthwhile(SequenceState s, Exit exit, Segment g) {
    ExitPolicy p = s.policy;
    if (!p.usesProbe()) {
      return true;
    }
    Tensor x = Sequence.lastRow(s.at(g).outputs.rows(s.position(), s.position() + 1));
    return p.worthwhile(exit.depth(), exit.gates().probe().orElseThrow().probability(ops, x));
  }

  private void readHead(Segment g, Exit exit, List<Rows> rows) {
    Tensor x =
        exit.hasCache()
            ? passes.runExit(g, rows)
            : passes.gather(rows, r -> r.text().at(g).outputs.rows(r.first(), r.end()));
    Tensor a = passes.gather(rows, r -> r.text().at(g).residuals.rows(r.first(), r.end()));
    Tensor states = exit.headState(ops, x, a);
    Tensor logits = exit.headLogits(ops, states);
    int row = 0;
    for (Rows r : rows) {
      int[] at = new int[r.count()];
      Arrays.setAll(at, i -> r.first() + i);
      int end = row + at.length;
      HeadRows heads = r.text().at(g).heads;
      heads.put(ops, at, Sequence.rows(states, row, end), Sequence.rows(logits, row, end));
      row = end;
    }
  }

  /**
   * What the exit in front of the outlet says of the token read last, sure or not: where nothing
   * after the outlet answers. In the {@link #step} that has read the token.
   */
  public Step lastExit(SequenceState s) {
    Segment g = segments.get(segments.size() - 2);
    Exit exit = g.exit().orElseThrow();
    int p = s.position() - 1;
    if (!s.at(g).heads.has(p)) {
      readHead(g, exit, List.of(new Rows(s, p, p + 1)));
    }
    ExitEvidence evidence = s.at(g).evidence(p, null);
    return s.reader.read(evidence.answer(), exit.depth(), evidence.maxProbability());
  }

  /** The whole head's answers, for all that are left. */
  private void answer(List<SequenceState> live, Answers answers) {
    readFinals(live.stream().filter(s -> !s.finals.has(s.position())).toList());
    Step[] steps = new Step[live.size()];
    pool.range(
        steps.length,
        1,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            SequenceState s = live.get(i);
            int p = s.position();
            double confidence = s.finals.confidence(p);
            steps[i] = s.reader.read(s.finals.logits(p), OptionalInt.empty(), confidence);
          }
        });
    for (int i = 0; i < steps.length; i++) {
      answers.take(live.get(i), steps[i]);
    }
  }

  /** The whole head's logits of one token, {@code [1, V]}, as the answer. */
  private void answer(SequenceState s, Tensor logits, Answers answers) {
    double confidence = TopTokens.of(ops, logits).probability(0);
    answers.take(s, s.reader.read(logits, OptionalInt.empty(), confidence));
  }

  private void readFinals(List<SequenceState> texts) {
    if (texts.isEmpty()) {
      return;
    }
    Segment last = segments.getLast();
    List<int[]> wanted = new ArrayList<>(texts.size());
    List<Rows> rows = new ArrayList<>(texts.size());
    for (SequenceState s : texts) {
      int[] at = s.unanswered();
      wanted.add(at);
      for (int i = 0, from = 0; i < at.length; i++) {
        if (i + 1 == at.length || at[i + 1] > at[i] + 1) {
          rows.add(new Rows(s, at[from], at[i] + 1));
          from = i + 1;
        }
      }
    }
    Tensor x = passes.gather(rows, r -> r.text().at(last).outputs.rows(r.first(), r.end()));
    Tensor logits = decoder.logits(ops, x);
    TopTokens top = TopTokens.of(ops, logits);
    int row = 0;
    for (int i = 0; i < texts.size(); i++) {
      int end = row + wanted.get(i).length;
      double[] confidences = IntStream.range(row, end).mapToDouble(top::probability).toArray();
      HeadRows finals = texts.get(i).finals;
      Tensor states = Sequence.rows(x, row, end);
      finals.put(ops, wanted.get(i), states, Sequence.rows(logits, row, end), confidences);
      row = end;
    }
  }

  /**
   * Reads a prompt after what a text has read so far, at full depth.
   *
   * @param prompt at least one token
   * @return what follows its last token
   */
  public Step prefill(SequenceState s, int[] prompt) {
    return prefill(s, prompt, Optional.empty());
  }

  /**
   * As above.
   *
   * @param states gets the final hidden states of the prompt, if somebody asks
   */
  public Step prefill(SequenceState s, int[] prompt, Optional<PromptStates> states) {
    complete(s); // tokens that go through all layers need those before them there
    Step[] answer = new Step[1];
    ChunkedPrefill.each(
        prompt,
        (chunk, end) ->
            step(
                () -> {
                  PromptChunk c = new PromptChunk(s, chunk, end, states);
                  prefill(List.of(c), (_, step) -> answer[0] = step);
                  return null;
                }));
    return answer[0];
  }

  /**
   * Reads chunks of prompts in one pass, in one rank. How prompts are cut, and which are read
   * together, does not show in any result.
   *
   * @param chunks of different texts, at most {@link Kernels#ROW_STABLE}: each longer than that, or
   *     all together not
   * @param answers gets what follows prompts that end
   */
  public void prefill(List<PromptChunk> chunks, Answers answers) {
    Tensor y = prefill(chunks, prompts.embed(chunks));
    if (y == null) {
      return;
    }
    Tensor logits = decoder.logits(ops, y);
    int row = 0;
    for (PromptChunk c : chunks) {
      if (c.end()) {
        answer(c.text(), Sequence.row(logits, row++), answers);
      }
    }
  }

  /**
   * The same through these segments.
   *
   * @param x what the first of them reads, {@code [1, R, C]}, chunk after chunk
   * @return what comes to an outlet, {@code [1, R, C]}; else the final hidden states of the last
   *     tokens of prompts that end, {@code [1, E, C]}, or null where none does
   */
  public Tensor prefill(List<PromptChunk> chunks, Tensor x) {
    return prompts.run(chunks, segments, x);
  }

  /** Runs the deficit tokens of a text through all layers that they have not seen. */
  public void complete(SequenceState s) {
    s.cut();
    for (Segment g : segments) {
      step(
          () -> {
            complete(s, g);
            return null;
          });
    }
  }

  /** Runs the deficit tokens of a text through one segment and the own layer of its exit. */
  public void complete(SequenceState s, Segment g) {
    if (!g.isOutlet()) {
      if (s.done(g) < s.position()) {
        passes.run(g, List.of(new Rows(s, s.done(g), s.position())));
      }
      passes.fillExit(g, LayerPasses.waiting(g, s, s.position()));
    }
  }

  /**
   * Keys and values of backbone layer {@code layer} (from 0) after completing every deficit token,
   * {@code [1, position, K, D]} each: for tests and audits.
   */
  public List<Tensor> completedCache(SequenceState s, int layer) {
    complete(s);
    var cache = s.sequence().cache(layer);
    return List.of(cache.keys(ops, s.position()), cache.values(ops, s.position()));
  }

  @Override
  public void close() {
    workspace.close();
  }
}
