package dev.sortie.eetuning.decode.edge;

import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;

/**
 * What edge and cloud say to each other, after the proof of their secret. A frame is its kind, the
 * length of what follows, and that, all big-endian but for states, which are as in memory:
 *
 * <pre>
 *   edge → cloud   open      version, hash of the model, layers, hidden, vocab, first layer of the
 *                            cloud, type of states, room in tokens, sampling
 *   cloud → edge   ready     what it computes with
 *                  or refused   whether to ask again later, why; then the end
 *   edge → cloud   states    first position, part of a prompt?, answer wanted?, ids, their states
 *   cloud → edge   answer    position, id, confidence: once for each states that wants one
 *                  or refused, and the end
 * </pre>
 *
 * The edge sends states as soon as it has them, wanted or not, and all of them in order.
 */
sealed interface Frame {
  /** Changes with every change of what is written below. */
  int VERSION = 3;

  /** Longest one of a kind that has no states. */
  int LONGEST = 1 << 12;

  private int kind() {
    return switch (this) {
      case Open _ -> 1;
      case Ready _ -> 2;
      case Refused _ -> 3;
      case States _ -> 4;
      case Answer _ -> 5;
    };
  }

  /** Writes what follows the length. */
  void write(DataOutputStream out) throws IOException;

  /**
   * What a text needs of the cloud.
   *
   * @param version of the protocol
   * @param model SHA-256 of all weights
   * @param layers of the whole model
   * @param hidden elements of a state
   * @param vocab number of logits
   * @param from the first layer that the edge does not have, counted from 0
   * @param type of states
   * @param room tokens of prompt and answer
   * @param sampling how the cloud chooses tokens; its random numbers are those of the edge
   */
  record Open(
      int version,
      String model,
      int layers,
      int hidden,
      int vocab,
      int from,
      LinkType type,
      int room,
      SamplingOptions sampling)
      implements Frame {

    @Override
    public void write(DataOutputStream out) throws IOException {
      out.writeInt(version);
      out.writeUTF(model);
      for (int n : new int[] {layers, hidden, vocab, from, type.ordinal(), room}) {
        out.writeInt(n);
      }
      out.writeDouble(sampling.temperature());
      out.writeInt(sampling.topK());
      out.writeDouble(sampling.topP());
      out.writeDouble(sampling.minP());
      out.writeDouble(sampling.repetitionPenalty());
      out.writeBoolean(sampling.promptPenalised());
      out.writeLong(sampling.seed());
    }

    private static Open read(DataInputStream in) throws IOException {
      int version = in.readInt();
      if (version != VERSION) {
        throw new IOException("it speaks version " + version + " of the protocol, not " + VERSION);
      }
      return new Open(
          version,
          in.readUTF(),
          in.readInt(),
          in.readInt(),
          in.readInt(),
          in.readInt(),
          LinkType.values()[atMost(LinkType.values().length - 1, in.readInt())],
          in.readInt(),
          new SamplingOptions(
              in.readDouble(),
              in.readInt(),
              in.readDouble(),
              in.readDouble(),
              in.readDouble(),
              in.readBoolean(),
              in.readLong()));
    }
  }

  /**
   * The cloud has room for the text.
   *
   * @param computes what the bits of its results depend on
   */
  record Ready(String computes) implements Frame {
    @Override
    public void write(DataOutputStream out) throws IOException {
      out.writeUTF(computes);
    }
  }

  /**
   * The cloud does not, or no longer, answer.
   *
   * @param later whether it may for another text
   */
  record Refused(boolean later, String why) implements Frame {
    @Override
    public void write(DataOutputStream out) throws IOException {
      out.writeBoolean(later);
      out.writeUTF(why);
    }
  }

  /**
   * Hidden states of tokens in a row.
   *
   * @param first position of the first token
   * @param prompt whether they are a chunk of a prompt, read in one pass
   * @param wanted whether the edge waits for what follows the last of them
   * @param ids the tokens
   * @param states of all, one after the other
   */
  record States(int first, boolean prompt, boolean wanted, int[] ids, byte[] states)
      implements Frame {
    /** Bytes before the ids. */
    static final int HEAD = 10;

    @Override
    public void write(DataOutputStream out) throws IOException {
      out.writeInt(first);
      out.writeBoolean(prompt);
      out.writeBoolean(wanted);
      out.writeInt(ids.length);
      for (int id : ids) {
        out.writeInt(id);
      }
      out.write(states);
    }

    private static States read(DataInputStream in) throws IOException {
      int first = in.readInt();
      boolean prompt = in.readBoolean();
      boolean wanted = in.readBoolean();
      int[] ids = new int[atMost(in.available() / Integer.BYTES, in.readInt())];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = in.readInt();
      }
      return new States(first, prompt, wanted, ids, in.readAllBytes());
    }
  }

  /**
   * The next token.
   *
   * @param position where it will stand
   * @param confidence largest probability there
   */
  record Answer(int position, int id, double confidence) implements Frame {
    @Override
    public void write(DataOutputStream out) throws IOException {
      out.writeInt(position);
      out.writeInt(id);
      out.writeDouble(confidence);
    }
  }

  /** All of it as it travels. */
  default byte[] encode() throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    write(new DataOutputStream(body));
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(all);
    out.writeByte(kind());
    out.writeInt(body.size());
    body.writeTo(out);
    return all.toByteArray();
  }

  /**
   * Reads the next one.
   *
   * @param longest bytes after its length
   * @return null at the end, where no frame has begun
   * @throws IOException if it is none, or is cut off
   */
  static Frame read(DataInputStream in, int longest) throws IOException {
    int kind = in.read();
    if (kind < 0) {
      return null;
    }
    byte[] body = new byte[atMost(longest, in.readInt())];
    in.readFully(body);
    DataInputStream from = new DataInputStream(new ByteArrayInputStream(body));
    Frame frame =
        switch (kind) {
          case 1 -> Open.read(from);
          case 2 -> new Ready(from.readUTF());
          case 3 -> new Refused(from.readBoolean(), from.readUTF());
          case 4 -> States.read(from);
          case 5 -> new Answer(from.readInt(), from.readInt(), from.readDouble());
          default -> throw new IOException("a frame of the unknown kind " + kind);
        };
    if (from.available() > 0) {
      throw new IOException("a frame that is longer than what it says");
    }
    return frame;
  }

  private static int atMost(int most, int number) throws IOException {
    if (number < 0 || number > most) {
      throw new IOException("a number of a frame is " + number + ", expected 0 to " + most);
    }
    return number;
  }
}
