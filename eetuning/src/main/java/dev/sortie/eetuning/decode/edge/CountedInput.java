package dev.sortie.eetuning.decode.edge;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.atomic.AtomicLong;

/** A stream that counts the bytes that are read from it. */
final class CountedInput extends FilterInputStream {
  private final AtomicLong count;

  /**
   * @param count is added to
   */
  CountedInput(InputStream in, AtomicLong count) {
    super(in);
    this.count = count;
  }

  @Override
  public int read() throws IOException {
    int b = super.read();
    count.addAndGet(b < 0 ? 0 : 1);
    return b;
  }

  @Override
  public int read(byte[] bytes, int from, int length) throws IOException {
    int n = super.read(bytes, from, length);
    count.addAndGet(Math.max(0, n));
    return n;
  }
}
