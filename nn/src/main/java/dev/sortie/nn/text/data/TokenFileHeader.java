package dev.sortie.nn.text.data;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.model.Vocabulary;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The first 64 bytes of a file of token ids, little-endian.
 *
 * <pre>
 *  offset  0        8         12              16          20         24      32        64
 *          | magic  | version | element bytes | vocabSize | reserved | count | reserved | ids …
 * </pre>
 *
 * @param elementBytes 2 (unsigned) or 4 (signed) bytes an id
 * @param vocabSize every id is below
 * @param count number of ids
 */
record TokenFileHeader(int elementBytes, int vocabSize, long count) {
  static final int BYTES = 64;
  static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** "SORTIETK" as bytes. */
  static final long MAGIC = 0x4B54454954524F53L;

  private static final int VERSION = 1;

  /** The narrowest element for a vocabulary. */
  static TokenFileHeader of(int vocabSize, long count) {
    return new TokenFileHeader(vocabSize <= 1 << 16 ? 2 : 4, vocabSize, count);
  }

  void write(MemorySegment to) {
    to.asSlice(0, BYTES).fill((byte) 0);
    to.set(LONG, 0, MAGIC);
    to.set(INT, 8, VERSION);
    to.set(INT, 12, elementBytes);
    to.set(INT, 16, vocabSize);
    to.set(LONG, 24, count);
  }

  /** The header of a whole file, checked against the file's length. */
  static TokenFileHeader read(String file, MemorySegment whole) {
    expect(file, "magic", whole.get(LONG, 0), MAGIC);
    expect(file, "version", whole.get(INT, 8), VERSION);
    int vocabSize = whole.get(INT, 16);
    if (vocabSize < 1 || vocabSize > Vocabulary.MAX_SIZE) {
      throw new InputException(
          "%s: vocabulary size is %d, not from 1 to %d; build it again"
              .formatted(file, vocabSize, Vocabulary.MAX_SIZE));
    }
    TokenFileHeader header = of(vocabSize, whole.get(LONG, 24));
    expect(file, "bytes an id", whole.get(INT, 12), header.elementBytes);
    long stored = whole.byteSize() - BYTES;
    if (stored % header.elementBytes != 0 || header.count != stored / header.elementBytes) {
      throw new InputException(
          "%s: count is %d, but the file's length leaves room for %d ids; build it again"
              .formatted(file, header.count, stored / header.elementBytes));
    }
    return header;
  }

  private static void expect(String file, String field, long found, long wanted) {
    if (found != wanted) {
      throw new InputException(
          "%s: %s is 0x%X, not 0x%X, so this is no token file of this version; build it again"
              .formatted(file, field, found, wanted));
    }
  }
}
