package dev.sortie.eetuning.decode.edge;

import static java.lang.System.Logger.Level.DEBUG;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.parallel.comm.transport.tcp.Link;
import dev.sortie.parallel.comm.transport.tcp.LinkKeys;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One text's link to the cloud, as the edge sees it. Frames are sent by a thread of their own while
 * the edge computes (the asynchronous upload of CE-CoLLM, arXiv 2411.02829); only {@link #answer}
 * waits. Once the link is lost, for whatever reason, it stays lost.
 */
final class CloudLink implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(CloudLink.class.getName());

  /** Characters that are shown of a cloud's reason. */
  private static final int LONGEST_REASON = 500;

  /** Frames that nobody has read yet: that the cloud is ready, an answer, and a refusal. */
  private static final int UNREAD = 3;

  private final String name;
  private final int vocab;
  private final BlockingQueue<byte[]> out = new LinkedBlockingQueue<>();
  private final BlockingQueue<Event> in = new ArrayBlockingQueue<>(UNREAD + 1); // and its end
  private final AtomicLong sent = new AtomicLong();
  private final AtomicLong received = new AtomicLong();
  private Link link;
  private boolean closed;
  private Optional<String> lost = Optional.empty();
  private Optional<String> computes = Optional.empty();
  private int roundTrips;

  /** What the threads have to tell. */
  private sealed interface Event {
    record Came(Frame frame) implements Event {}

    record Ended(String why) implements Event {}
  }

  /**
   * Begins to call the cloud; nothing is awaited.
   *
   * @param host as the user wrote it
   */
  CloudLink(String host, int port, LinkKeys keys, Frame.Open text) {
    this.name = host + ":" + port;
    this.vocab = text.vocab();
    send(text);
    Thread.ofVirtual()
        .name("sortie-edge-link")
        .start(() -> talk(new InetSocketAddress(host, port), keys));
  }

  private void talk(InetSocketAddress address, LinkKeys keys) {
    try (Link opened = Link.call(address, keys)) {
      if (begin(opened)) {
        write(opened.out(), out.take());
        read(opened);
      }
      in.add(new Event.Ended("it ended the link"));
    } catch (IOException | InputException e) {
      in.add(new Event.Ended(e.getMessage() == null ? "it ended the link" : e.getMessage()));
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts this thread", e);
    }
  }

  /** Whether the link is still wanted. */
  private synchronized boolean begin(Link opened) {
    link = opened;
    return !closed;
  }

  private void read(Link from) throws IOException {
    DataInputStream frames = new DataInputStream(new CountedInput(from.in(), received));
    Thread writer = Thread.ofVirtual().unstarted(() -> write(from));
    try {
      for (Frame f; (f = Frame.read(frames, Frame.LONGEST)) != null; ) {
        if (in.size() >= UNREAD) {
          throw new IOException("it sent more than it was asked for");
        }
        in.add(new Event.Came(f));
        if (f instanceof Frame.Ready && writer.getState() == Thread.State.NEW) {
          writer.start(); // no states for a cloud that may still refuse
        }
      }
    } finally {
      writer.interrupt();
    }
  }

  private void write(Link to) {
    try {
      OutputStream bytes = to.out();
      while (true) {
        write(bytes, out.take());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the link has ended
    } catch (IOException e) {
      // whoever reads sees the end of the link too, and what the cloud may have said before
      LOG.log(DEBUG, () -> name + " takes no more: " + e.getMessage());
    }
  }

  private void write(OutputStream to, byte[] frame) throws IOException {
    // before its answer can come, after which the text may be complete
    sent.addAndGet(frame.length);
    try {
      to.write(frame);
    } catch (IOException e) {
      sent.addAndGet(-frame.length);
      throw e;
    }
  }

  /** Sends a frame when those before it are sent; after a loss, nothing. */
  void send(Frame frame) {
    if (lost.isPresent()) {
      return;
    }
    try {
      out.add(frame.encode());
    } catch (IOException e) {
      throw new IllegalStateException("memory takes all bytes", e);
    }
  }

  /**
   * Waits for what the cloud says of the states that wanted an answer.
   *
   * @param position where the token will stand
   * @param longest to wait; then the cloud counts as lost
   * @return empty once the cloud is lost
   * @throws InputException if the cloud refuses this model, and would again
   */
  Optional<Frame.Answer> answer(int position, Duration longest) {
    long end = System.nanoTime() + longest.toNanos();
    while (lost.isEmpty()) {
      switch (next(end)) {
        case null -> lose("it did not answer within " + longest.toMillis() + " ms");
        case Event.Ended e -> lose(e.why());
        case Event.Came(Frame.Ready ready) when computes.isEmpty() ->
            computes = Optional.of(ready.computes());
        case Event.Came(Frame.Answer a) when computes.isPresent() && fits(a, position) -> {
          roundTrips++;
          return Optional.of(a);
        }
        case Event.Came(Frame.Refused no) when no.later() -> lose(shown(no));
        case Event.Came(Frame.Refused no) ->
            throw new InputException("the cloud at " + name + " refuses: " + shown(no));
        case Event.Came c ->
            lose("it sent what was not asked for: " + Printable.line(c.frame().toString()));
      }
    }
    return Optional.empty();
  }

  private static String shown(Frame.Refused no) {
    return Printable.line(no.why(), LONGEST_REASON);
  }

  private boolean fits(Frame.Answer a, int position) {
    return a.position() == position && a.id() >= 0 && a.id() < vocab;
  }

  private Event next(long end) {
    try {
      return in.poll(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Event.Ended("the wait was interrupted");
    }
  }

  private void lose(String why) {
    lost = Optional.of("the cloud at " + name + ": " + why);
    close();
  }

  /** Why the cloud does not answer any more. */
  Optional<String> lost() {
    return lost;
  }

  /** What the cloud computes with, once it has said so. */
  Optional<String> computes() {
    return computes;
  }

  /** Bytes of frames that went to the cloud so far, without what TCP and TLS add. */
  long sent() {
    return sent.get();
  }

  /** Bytes of its frames. */
  long received() {
    return received.get();
  }

  /** Answers that were waited for and came. */
  int roundTrips() {
    return roundTrips;
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      if (link != null) {
        link.close();
      }
    }
  }
}
