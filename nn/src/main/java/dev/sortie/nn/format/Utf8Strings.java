package dev.sortie.nn.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.Objects;
import java.util.RandomAccess;

/**
 * The strings of a list as a GGUF file has them: valid UTF-8, each after its length. An object is
 * made of a string each time it is asked for, since a tokenizer has 100,000 of them and most are
 * only compared.
 */
public final class Utf8Strings extends AbstractList<String> implements RandomAccess {
  private final byte[] bytes;

  /** Where each string begins, and where one after the last would. */
  private final int[] starts;

  /**
   * The strings of a list.
   *
   * @param count how many
   * @param bytes for each of them the length as 64 bits, little-endian, and the UTF-8
   */
  Utf8Strings(int count, byte[] bytes) {
    this.bytes = bytes;
    ByteBuffer lengths = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    starts = new int[count + 1];
    int start = Long.BYTES;
    for (int i = 0; i < count; i++) {
      starts[i] = start;
      start += (int) lengths.getLong(start - Long.BYTES) + Long.BYTES;
    }
    starts[count] = start;
  }

  @Override
  public int size() {
    return starts.length - 1;
  }

  @Override
  public String get(int index) {
    int start = start(index);
    return new String(bytes, start, end(index) - start, StandardCharsets.UTF_8);
  }

  /** The bytes of all strings, not to be changed. */
  public byte[] bytes() {
    return bytes;
  }

  /** Where the bytes of string {@code index} begin. */
  public int start(int index) {
    return starts[Objects.checkIndex(index, size())];
  }

  /** Where they end. */
  public int end(int index) {
    return starts[Objects.checkIndex(index, size()) + 1] - Long.BYTES;
  }
}
