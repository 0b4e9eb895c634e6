package dev.sortie.nn.text.data;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.text.Tokenizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Token ids in a file, mapped into memory. Made with {@link #build}, read with {@link #open}; the
 * mapping goes with {@link #close}. Reading is thread-safe.
 */
public final class TokenDataset implements AutoCloseable {
  private final String file;
  private final Arena arena;
  private final MemorySegment elements;
  private final TokenFileHeader header;

  private TokenDataset(String file, Arena arena, MemorySegment map, TokenFileHeader header) {
    this.file = file;
    this.arena = arena;
    this.elements = map.asSlice(TokenFileHeader.BYTES);
    this.header = header;
  }

  /**
   * Writes the ids of texts to {@code out}. Each text is one document: its ids with what the
   * tokenizer adds, and EOS if there is one and it is not there yet. The file appears whole or not
   * at all.
   *
   * @param texts UTF-8 files
   * @return the number of ids written
   * @throws InputException if a text cannot be read, is empty or is not UTF-8, or if {@code out}
   *     cannot be written
   */
  public static long build(Tokenizer tokenizer, List<Path> texts, Path out) {
    if (texts.isEmpty()) {
      throw new InputException(out + ": no text given; name at least one file");
    }
    return TokenFileWriter.write(tokenizer, texts, out);
  }

  /**
   * Writes ids as they are to {@code out}, one document after another. The file appears whole or
   * not at all.
   *
   * @param documents ids below {@code vocabSize}
   * @return the number of ids written
   * @throws InputException if {@code out} cannot be written
   */
  public static long write(Stream<int[]> documents, int vocabSize, Path out) {
    return TokenFileWriter.write(documents, vocabSize, out);
  }

  /** Whether a regular file begins as token files do; false too if it cannot be read. */
  public static boolean isTokenFile(Path file) {
    if (!NamedInput.isRegular(file)) {
      return false; // a token file is mapped, and bytes read of a pipe would be missing later
    }
    try (FileChannel channel = FileChannel.open(file)) {
      ByteBuffer first = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      return channel.read(first) == Long.BYTES && first.getLong(0) == TokenFileHeader.MAGIC;
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Maps a file.
   *
   * @throws InputException if it cannot be read or is damaged
   */
  public static TokenDataset open(Path file) {
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(file)) {
      long length = channel.size();
      if (length < TokenFileHeader.BYTES) {
        throw new InputException(
            "%s: %d bytes, but a token file has a header of %d; build it again"
                .formatted(file, length, TokenFileHeader.BYTES));
      }
      MemorySegment map = channel.map(FileChannel.MapMode.READ_ONLY, 0, length, arena);
      TokenFileHeader header = TokenFileHeader.read(file.toString(), map);
      return new TokenDataset(file.toString(), arena, map, header);
    } catch (NoSuchFileException e) {
      arena.close();
      throw new InputException(file + ": no such file", e);
    } catch (IOException e) {
      arena.close();
      throw new InputException(file + ": cannot be mapped: " + InputFiles.reason(e), e);
    } catch (InputException e) {
      arena.close();
      throw e;
    }
  }

  /** Number of ids. */
  public long size() {
    return header.count();
  }

  /** The tokenizer's number of ids; every id is below. */
  public int vocabSize() {
    return header.vocabSize();
  }

  /**
   * All ids.
   *
   * @throws InputException if the file holds an id outside its vocabulary
   * @throws ArithmeticException if there are more than an array holds
   */
  public int[] all() {
    int[] ids = new int[Math.toIntExact(size())];
    read(0, ids);
    return ids;
  }

  /**
   * Copies {@code into.length} ids from {@code from} on.
   *
   * @throws InputException if the file holds an id outside its vocabulary
   * @throws IndexOutOfBoundsException if the file has no such ids
   * @throws IllegalStateException after {@link #close}
   */
  public void read(long from, int[] into) {
    if (from < 0 || from > size() - into.length) {
      throw new IndexOutOfBoundsException(
          file + ": ids " + from + " to " + (from + into.length) + " of " + size());
    }
    for (int i = 0; i < into.length; i++) {
      into[i] =
          header.elementBytes() == 2
              ? elements.getAtIndex(TokenFileHeader.SHORT, from + i) & 0xFFFF
              : elements.getAtIndex(TokenFileHeader.INT, from + i);
      if (into[i] < 0 || into[i] >= vocabSize()) {
        throw new InputException(
            "%s: id %d at position %d, but the vocabulary has %d; build the file again"
                .formatted(file, into[i], from + i, vocabSize()));
      }
    }
  }

  /** The file's name, for messages. */
  public String file() {
    return file;
  }

  @Override
  public void close() {
    arena.close();
  }
}
