package dev.sortie.nn.text.data;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.TextFiles;
import dev.sortie.nn.text.Tokenizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** Writes a file of token ids: under another name first, so that no half file is ever seen. */
final class TokenFileWriter {
  private static final int BUFFER = 1 << 16;

  private TokenFileWriter() {}

  static long write(Tokenizer tokenizer, List<Path> texts, Path out) {
    return write(texts.stream().map(text -> document(tokenizer, text)), tokenizer.vocabSize(), out);
  }

  static long write(Stream<int[]> documents, int vocabSize, Path out) {
    try {
      Files.createDirectories(out.toAbsolutePath().getParent());
    } catch (IOException e) {
      throw new InputException(out + ": cannot be written: " + e, e);
    }
    AtomicLong count = new AtomicLong();
    AtomicFiles.write(out, channel -> count.set(writeAll(documents, vocabSize, channel)));
    return count.get();
  }

  private static long writeAll(Stream<int[]> documents, int vocabSize, FileChannel channel)
      throws IOException {
    TokenFileHeader empty = TokenFileHeader.of(vocabSize, 0);
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    long count = 0;
    channel.position(TokenFileHeader.BYTES);
    for (int[] document : (Iterable<int[]>) documents::iterator) {
      for (int id : document) {
        if (buffer.remaining() < Integer.BYTES) {
          drain(buffer, channel);
        }
        if (empty.elementBytes() == 2) {
          buffer.putShort((short) id);
        } else {
          buffer.putInt(id);
        }
        count++;
      }
    }
    drain(buffer, channel);
    ByteBuffer header = ByteBuffer.allocateDirect(TokenFileHeader.BYTES);
    TokenFileHeader.of(vocabSize, count).write(MemorySegment.ofBuffer(header));
    channel.position(0);
    drain(header.position(TokenFileHeader.BYTES), channel);
    return count;
  }

  private static int[] document(Tokenizer tokenizer, Path text) {
    int[] ids = tokenizer.encode(TextFiles.read(text));
    if (tokenizer.eosId().isEmpty()) {
      return ids;
    }
    int eos = tokenizer.eosId().getAsInt();
    if (ids.length > 0 && ids[ids.length - 1] == eos) {
      return ids;
    }
    int[] ended = Arrays.copyOf(ids, ids.length + 1);
    ended[ids.length] = eos;
    return ended;
  }

  private static void drain(ByteBuffer buffer, FileChannel channel) throws IOException {
    AtomicFiles.writeFully(channel, buffer.flip());
    buffer.clear();
  }
}
