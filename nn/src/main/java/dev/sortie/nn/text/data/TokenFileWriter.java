package dev.sortie.nn.text.data;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.text.StreamEncoder;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.TrainingText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** Writes a file of token ids: under another name first, so that no half file is ever seen. */
final class TokenFileWriter {
  private static final int BUFFER = 1 << 16;

  private TokenFileWriter() {}

  /** Takes ids one after another. */
  private interface Ids {
    void add(int[] ids);
  }

  /** Gives ids. */
  private interface Source {
    void giveTo(Ids ids);
  }

  static long write(Tokenizer tokenizer, List<Path> texts, Path out) {
    return write(
        ids -> {
          Documents documents = new Documents(tokenizer, ids);
          texts.forEach(text -> TrainingText.read(text, documents));
        },
        tokenizer.vocabSize(),
        out);
  }

  static long write(Stream<int[]> documents, int vocabSize, Path out) {
    return write(ids -> documents.forEachOrdered(ids::add), vocabSize, out);
  }

  private static long write(Source source, int vocabSize, Path out) {
    try {
      Files.createDirectories(out.toAbsolutePath().getParent());
    } catch (IOException e) {
      throw new InputException(out + ": cannot be written: " + InputFiles.reason(e), e);
    }
    AtomicLong count = new AtomicLong();
    AtomicFiles.write(out, channel -> count.set(writeAll(source, vocabSize, channel)));
    return count.get();
  }

  private static long writeAll(Source source, int vocabSize, FileChannel channel)
      throws IOException {
    channel.position(TokenFileHeader.BYTES);
    IdBuffer buffer = new IdBuffer(vocabSize, channel);
    try {
      source.giveTo(buffer);
    } catch (UncheckedIOException e) {
      if (e.getCause() == buffer.failure) {
        throw buffer.failure;
      }
      throw e;
    }
    drain(buffer.bytes, channel);
    ByteBuffer header = ByteBuffer.allocateDirect(TokenFileHeader.BYTES);
    TokenFileHeader.of(vocabSize, buffer.count).write(MemorySegment.ofBuffer(header));
    channel.position(0);
    drain(header.position(TokenFileHeader.BYTES), channel);
    return buffer.count;
  }

  /** Ids on their way into the file. */
  private static final class IdBuffer implements Ids {
    private final FileChannel channel;
    private final int vocabSize;
    private final boolean narrow;
    private final ByteBuffer bytes = ByteBuffer.allocate(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    private long count;

    /** Of a write. */
    private IOException failure;

    IdBuffer(int vocabSize, FileChannel channel) {
      this.channel = channel;
      this.vocabSize = vocabSize;
      narrow = TokenFileHeader.of(vocabSize, 0).elementBytes() == 2;
    }

    @Override
    public void add(int[] ids) {
      for (int id : ids) {
        if (id < 0 || id >= vocabSize) {
          throw new InputException(
              "token %d of a document is outside 0 to %d".formatted(id, vocabSize - 1));
        }
        if (bytes.remaining() < Integer.BYTES) {
          drain();
        }
        if (narrow) {
          bytes.putShort((short) id);
        } else {
          bytes.putInt(id);
        }
      }
      count += ids.length;
    }

    private void drain() {
      try {
        TokenFileWriter.drain(bytes, channel);
      } catch (IOException e) {
        failure = e;
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Text is read and encoded part by part, so that it may be longer than memory. */
  private static final class Documents implements TrainingText.Reader {
    private final Tokenizer tokenizer;
    private final Ids ids;
    private StreamEncoder encoder;
    private int last = -1;

    Documents(Tokenizer tokenizer, Ids ids) {
      this.tokenizer = tokenizer;
      this.ids = ids;
      this.encoder = tokenizer.encoder();
    }

    @Override
    public void part(String part) {
      add(encoder.next(part));
    }

    private void add(int[] some) {
      ids.add(some);
      last = some.length == 0 ? last : some[some.length - 1];
    }

    @Override
    public void end() {
      add(encoder.finish());
      if (tokenizer.eosId().isPresent() && tokenizer.eosId().getAsInt() != last) {
        ids.add(new int[] {tokenizer.eosId().getAsInt()});
      }
      encoder = tokenizer.encoder();
      last = -1;
    }
  }

  private static void drain(ByteBuffer buffer, FileChannel channel) throws IOException {
    AtomicFiles.writeFully(channel, buffer.flip());
    buffer.clear();
  }
}
