package dev.sortie.tensor.autograd;

import java.util.function.Supplier;

/**
 * Runs code whose ops record nothing: a frozen backbone, decoding, validation. Holds for the
 * calling thread, for the time of the call.
 */
public final class NoGrad {
  private static final ScopedValue<Boolean> OFF = ScopedValue.newInstance();

  private NoGrad() {}

  /** Runs {@code body} without recording. */
  public static <T> T call(Supplier<T> body) {
    return ScopedValue.where(OFF, true).call(body::get);
  }

  /** Runs {@code body} without recording. */
  public static void run(Runnable body) {
    ScopedValue.where(OFF, true).run(body);
  }

  /** Whether ops record nothing now. */
  public static boolean isOn() {
    return OFF.isBound();
  }
}
