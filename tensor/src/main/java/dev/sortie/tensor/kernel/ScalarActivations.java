package dev.sortie.tensor.kernel;

/** Reference activations, with an error function in double precision. */
final class ScalarActivations {
  private static final double TANH_SCALE = Math.sqrt(2 / Math.PI);
  private static final double TANH_CUBIC = 0.044715;

  private ScalarActivations() {}

  static void run(ActivationCall call) {
    switch (call) {
      case ActivationCall.Swiglu c -> swiglu(c);
      case ActivationCall.SwigluBackward c -> swigluBackward(c);
      case ActivationCall.Gelu c -> gelu(c);
      case ActivationCall.GeluBackward c -> geluBackward(c);
      case ActivationCall.Softmax c -> ScalarLosses.softmax(c);
      case ActivationCall.SoftmaxBackward c -> ScalarLosses.softmaxBackward(c);
    }
  }

  private static void swiglu(ActivationCall.Swiglu call) {
    ScalarElementwise.map(call.gate(), call.up(), call.y(), (g, u) -> g / (1 + Math.exp(-g)) * u);
  }

  private static void swigluBackward(ActivationCall.SwigluBackward call) {
    for (long i = 0; i < call.gate().length(); i++) {
      double g = call.gate().get(i);
      double sigmoid = 1 / (1 + Math.exp(-g));
      call.dgate().set(i, call.dy().get(i) * call.up().get(i) * sigmoid * (1 + g * (1 - sigmoid)));
      call.dup().set(i, call.dy().get(i) * g * sigmoid);
    }
  }

  private static void gelu(ActivationCall.Gelu call) {
    ScalarElementwise.map(
        call.x(),
        call.x(),
        call.y(),
        (a, same) -> call.tanh() ? a * tanhGate(a) : a * normalCdf(a));
  }

  private static void geluBackward(ActivationCall.GeluBackward call) {
    for (long i = 0; i < call.x().length(); i++) {
      double a = call.x().get(i);
      call.dx().add(i, call.dy().get(i) * (call.tanh() ? tanhSlope(a) : exactSlope(a)));
    }
  }

  private static double tanhGate(double x) {
    return 0.5 * (1 + Math.tanh(TANH_SCALE * (x + TANH_CUBIC * x * x * x)));
  }

  private static double tanhSlope(double x) {
    double gate = tanhGate(x);
    double inner = TANH_SCALE * (1 + 3 * TANH_CUBIC * x * x);
    return gate + x * 2 * gate * (1 - gate) * inner;
  }

  private static double exactSlope(double x) {
    return normalCdf(x) + x * Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  }

  /** {@code Φ(x) = erfc(-x / √2) / 2}. */
  static double normalCdf(double x) {
    return 0.5 * erfc(-x / Math.sqrt(2));
  }

  /** {@code 1 - erf(x)}, some 1e-15 relative. */
  static double erfc(double x) {
    if (x < 0) {
      return 2 - erfc(-x);
    }
    return x < 2 ? 1 - erfSeries(x) : erfcFraction(x);
  }

  /**
   * {@code erf(x) = 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!}: all terms have one sign (Abramowitz and
   * Stegun 7.1.6).
   */
  static double erfSeries(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }

  /**
   * The continued fraction of Abramowitz and Stegun 7.1.14, from its tail to its head, for {@code x
   * >= 2}.
   */
  private static double erfcFraction(double x) {
    double tail = x;
    for (int n = 60; n >= 1; n--) {
      tail = x + n / 2.0 / tail;
    }
    return Math.exp(-x * x) / (Math.sqrt(Math.PI) * tail);
  }
}
