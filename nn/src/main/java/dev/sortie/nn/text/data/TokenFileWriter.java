package dev.sortie.nn.text.data;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.TextFiles;
import dev.sortie.nn.text.Tokenizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
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
      Path folder = out.toAbsolutePath().getParent();
      Files.createDirectories(folder);
      Path temporary =
          folder.resolve(out.getFileName() + "." + ProcessHandle.current().pid() + ".part");
      try {
        long count = writeAll(documents, vocabSize, temporary);
        Files.move(temporary, out, StandardCopyOption.ATOMIC_MOVE);
        return count;
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      throw new InputException(out + ": cannot be written: " + e, e);
    }
  }

  private static long writeAll(Stream<int[]> documents, int vocabSize, Path file)
      throws IOException {
    TokenFileHeader empty = TokenFileHeader.of(vocabSize, 0);
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    long count = 0;
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
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
      channel.force(true);
    }
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
    buffer.flip();
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
    buffer.clear();
  }
}
