package dev.sortie.eetuning.cli.base;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;

/**
 * Standard output that fails where a byte of it cannot be written. Java's own keeps the error to
 * itself: a full disk would look like success, and text would be generated for a closed pipe.
 */
final class StandardOutput extends OutputStream {
  private final OutputStream to;

  /** Bytes of standard output are lost: the work that prints them ends with this. */
  static final class LostException extends UncheckedIOException {
    private static final long serialVersionUID = 1L;

    LostException(IOException cause) {
      super(
          "standard output cannot be written: " + cause.getMessage() + "; its end is missing",
          cause);
    }
  }

  private StandardOutput(OutputStream to) {
    this.to = to;
  }

  /**
   * Makes {@link System#out} such a stream. What is printed is written before {@code print}
   * returns, as it was.
   */
  static PrintStream install() {
    OutputStream file = new FileOutputStream(FileDescriptor.out);
    PrintStream out = new PrintStream(new StandardOutput(file), true, System.out.charset());
    System.setOut(out);
    return out;
  }

  // A PrintStream catches IOException alone.

  @Override
  public void write(int b) {
    try {
      to.write(b);
    } catch (IOException e) {
      throw new LostException(e);
    }
  }

  @Override
  public void write(byte[] bytes, int from, int count) {
    try {
      to.write(bytes, from, count);
    } catch (IOException e) {
      throw new LostException(e);
    }
  }

  @Override
  public void close() {
    try {
      to.close();
    } catch (IOException e) {
      throw new LostException(e);
    }
  }
}
