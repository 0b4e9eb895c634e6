package dev.sortie.benchmarks.edge;

import static java.lang.System.Logger.Level.DEBUG;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.parallel.comm.transport.tcp.Link;
import dev.sortie.parallel.comm.transport.tcp.LinkKeys;
import dev.sortie.parallel.comm.transport.tcp.LinkListener;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;

/**
 * The other extreme: all layers are in the cloud. The prompt's ids go there, four bytes each, and
 * ids of the text come back one by one as they are chosen: the fewest bytes and round trips that a
 * text can take.
 */
final class CloudAlone {
  private static final System.Logger LOG = System.getLogger(CloudAlone.class.getName());

  private final LanguageModel model;
  private final GenerateOptions options;

  /**
   * @param model all of it
   */
  CloudAlone(LanguageModel model, GenerateOptions options) {
    this.model = model;
    this.options = options;
  }

  /** Answers until the listener is closed, one text at a time. */
  void serve(LinkListener listener) {
    try {
      for (Optional<Link> link; (link = listener.take()).isPresent(); ) {
        try (Link l = link.get()) {
          answer(l);
        } catch (IOException | UncheckedIOException e) {
          LOG.log(DEBUG, "a text was cut off, which its client tells", e);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void answer(Link link) throws IOException {
    DataInputStream in = new DataInputStream(link.in());
    int[] prompt = new int[in.readInt()];
    for (int i = 0; i < prompt.length; i++) {
      prompt[i] = in.readInt();
    }
    DataOutputStream out = new DataOutputStream(link.out());
    write(prompt, id -> send(out, id));
    in.read(); // the other end closes it, when it has all
  }

  /** The text at full depth. */
  void write(int[] prompt, IntConsumer listener) {
    int room = prompt.length + options.maxTokens();
    try (FullDepth way = new FullDepth(model.decoder(), room, model.device())) {
      new Generator(way, model.tokenizer(), List.of(), model.config().decoder().vocab())
          .run(prompt, options, t -> listener.accept(t.id()));
    }
  }

  private static void send(DataOutputStream out, int id) {
    try {
      out.write(bytes(id)); // in one piece
    } catch (IOException e) {
      throw new UncheckedIOException("the client takes no more", e);
    }
  }

  private static byte[] bytes(int... ids) {
    ByteBuffer all = ByteBuffer.allocate(Integer.BYTES * ids.length);
    for (int id : ids) {
      all.putInt(id);
    }
    return all.array();
  }

  /**
   * A client: asks for a text and reads all of it.
   *
   * @param port on this machine
   * @param listener gets each id as it comes
   */
  static void ask(int port, LinkKeys keys, int[] prompt, int tokens, IntConsumer listener) {
    try (Link link = Link.call(new InetSocketAddress("localhost", port), keys)) {
      int[] request = new int[prompt.length + 1];
      request[0] = prompt.length;
      System.arraycopy(prompt, 0, request, 1, prompt.length);
      link.out().write(bytes(request));
      DataInputStream in = new DataInputStream(link.in());
      for (int i = 0; i < tokens; i++) {
        listener.accept(in.readInt());
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the cloud ended the text", e);
    }
  }
}
