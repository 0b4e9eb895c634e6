package dev.sortie.eetuning.decode.edge;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.parallel.comm.transport.tcp.Link;
import dev.sortie.parallel.comm.transport.tcp.LinkListener;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * The cloud's side: the layers that edges do not have, and the caches of their texts (the cloud
 * context manager of CE-CoLLM, arXiv 2411.02829). A link is a text. Texts take turns at the layers;
 * what one edge does wrong ends its own text and no other.
 */
public final class CloudServer implements AutoCloseable {
  /** How long a new link may take to say what it wants. */
  private static final Duration OPENING = Duration.ofSeconds(5);

  /** How long an edge may say nothing: one that was cut off does not keep its place for ever. */
  private static final Duration IDLE = Duration.ofMinutes(10);

  /** Longest chunk of a prompt that is taken. */
  private static final int ROWS = 1 << 10;

  /** Bytes that are still read of an edge that was refused, at most. */
  private static final long SKIPPED = 1 << 28;

  private final LanguageModel model;
  private final int from;
  private final LinkListener listener;
  private final Semaphore places;
  private final Consumer<String> log;

  /** Whoever has it computes: first come, first served. */
  private final ReentrantLock turn = new ReentrantLock(true);

  /**
   * A server that does not answer yet.
   *
   * @param model with at least the layers {@code from ..}, the final norm and the head
   * @param from the number of layers that edges have, 1 and more, but not all
   * @param texts at one time, at most
   * @param listener closed with this
   * @param log gets a line for each text that begins, ends or is refused
   */
  public CloudServer(
      LanguageModel model, int from, int texts, LinkListener listener, Consumer<String> log) {
    this.model = model;
    this.from = from;
    this.listener = listener;
    this.places = new Semaphore(texts);
    this.log = log;
  }

  /** Answers edges until this is closed. */
  public void run() throws InterruptedException {
    while (true) {
      Optional<Link> link = listener.take();
      if (link.isEmpty()) {
        return;
      }
      Thread.ofPlatform().daemon().name("sortie-cloud-text").start(() -> serve(link.get()));
    }
  }

  private void serve(Link link) {
    try (link) {
      String edge = link.peer();
      try {
        serve(link, edge);
      } catch (IOException e) {
        log.accept(edge + ": the link ended: " + e.getMessage());
      }
    } catch (IOException e) {
      log.accept("a link ended at once: " + e.getMessage());
    }
  }

  private void serve(Link link, String edge) throws IOException {
    link.silence(OPENING);
    DataInputStream in = new DataInputStream(link.in());
    OutputStream out = link.out();
    Frame.Refused no;
    try {
      if (!(Frame.read(in, Frame.LONGEST) instanceof Frame.Open text)) {
        throw new InputException("a link begins with what its text needs");
      }
      check(text);
      if (places.tryAcquire()) {
        try (CloudSession session = new CloudSession(model, text)) {
          log.accept("%s: a text of up to %d tokens begins".formatted(edge, text.room()));
          out.write(new Frame.Ready(Computation.of(model)).encode());
          link.silence(IDLE);
          int answers = answers(session, in, out, text);
          log.accept("%s: the text ended after %d answers".formatted(edge, answers));
          return;
        } finally {
          places.release();
        }
      }
      no = new Frame.Refused(true, "all places of this cloud are taken");
    } catch (InputException e) {
      no = new Frame.Refused(false, e.getMessage());
    } catch (RuntimeException | OutOfMemoryError e) {
      no = new Frame.Refused(true, "it failed: " + e);
    }
    log.accept(edge + ": refused: " + no.why());
    out.write(no.encode());
    link.silence(OPENING);
    in.skip(SKIPPED); // a link that ends with bytes unread takes the refusal with it
  }

  /** Until the edge ends the link; returns how many there were. */
  private int answers(CloudSession session, DataInputStream in, OutputStream out, Frame.Open text)
      throws IOException {
    int longest = Frame.States.HEAD + ROWS * (Integer.BYTES + text.type().bytes(text.hidden()));
    int answers = 0;
    for (Frame f = Frame.read(in, longest); f != null; f = Frame.read(in, longest)) {
      if (!(f instanceof Frame.States states)) {
        throw new InputException("states were expected, another kind of frame came");
      }
      Optional<Frame.Answer> answer;
      turn.lock();
      try {
        answer = session.take(states);
      } finally {
        turn.unlock();
      }
      if (answer.isPresent()) {
        out.write(answer.get().encode());
        answers++;
      }
    }
    return answers;
  }

  private void check(Frame.Open text) {
    DecoderConfig c = model.config().decoder();
    String ours = model.statesSha256();
    if (!text.model().equals(ours)) {
      throw new InputException(
          "the edge has a model of SHA-256 %s, the cloud one of %s; give both the same file, or the same folder with its config.json"
              .formatted(Printable.line(text.model()), ours));
    }
    same("layers in the model", text.layers(), c.layers());
    same("elements in a state", text.hidden(), c.hidden());
    same("logits", text.vocab(), c.vocab());
    same("layers on the edge (--edge and --from)", text.from(), from);
    text.type().check(c.hidden());
    if (text.room() < 1) {
      throw new InputException("a text of " + text.room() + " tokens, expected at least 1");
    }
    model.decoder().requireContext(text.room());
  }

  private static void same(String what, int edge, int cloud) {
    if (edge != cloud) {
      throw new InputException(
          "%s: the edge says %d, the cloud %d; give both the same".formatted(what, edge, cloud));
    }
  }

  @Override
  public void close() {
    listener.close();
  }
}
