package dev.sortie.tensor.kernel;

import dev.sortie.tensor.memory.Span;

/** Reference rotary embedding and attention. */
final class ScalarAttention {
  private ScalarAttention() {}

  static void run(AttentionCall call, Kernels kernels) {
    switch (call) {
      case AttentionCall.Rope c -> rope(c);
      case AttentionCall.Attention c -> attention(c);
      case AttentionCall.OverRuns c -> c.joined(kernels);
      case AttentionCall.OfSequences c -> c.sequences().forEach(kernels::run);
      case AttentionCall.AttentionBackward c -> attentionBackward(c);
      case AttentionCall.ZeroToken c -> zeroToken(c);
      case AttentionCall.ZeroTokenBackward c -> zeroTokenBackward(c);
    }
  }

  private static void rope(AttentionCall.Rope call) {
    RopeShape s = call.shape();
    int half = s.rotary() / 2;
    double[] head = new double[s.headSize()];
    for (long row = 0; row < s.elements() / s.headSize(); row++) {
      long position = s.first() + row / s.heads() % s.tokens();
      ScalarRows.load(call.x(), row * s.headSize(), head, s.headSize());
      for (int j = 0; j < half; j++) {
        int first = s.interleaved() ? 2 * j : j;
        int second = s.interleaved() ? 2 * j + 1 : j + half;
        double c = call.cos().get(position * half + j);
        double w =
            call.inverse()
                ? -call.sin().get(position * half + j)
                : call.sin().get(position * half + j);
        double a = head[first];
        double b = head[second];
        head[first] = a * c - b * w;
        head[second] = b * c + a * w;
      }
      ScalarRows.store(call.y(), row * s.headSize(), head, s.headSize());
    }
  }

  private static void attention(AttentionCall.Attention call) {
    AttentionShape s = call.shape();
    int size = s.headSize();
    double[] scores = new double[s.keys()];
    double[] sum = new double[size];
    for (int b = 0; b < s.batch(); b++) {
      for (int h = 0; h < s.heads(); h++) {
        double[] keys = head(call.k(), s, b, h / s.groupSize());
        double[] values = head(call.v(), s, b, h / s.groupSize());
        for (int i = 0; i < s.queries(); i++) {
          double[] query = ScalarRows.load(call.q(), query(s, b, i, h), size);
          int first = s.first(i);
          for (int j = first; j < s.visible(i); j++) {
            scores[j - first] = s.scale() * ScalarRows.dot(query, 0, keys, j * size, size);
          }
          double rowLse = ScalarRows.logSumExp(scores, s.visible(i) - first);
          java.util.Arrays.fill(sum, 0);
          for (int j = first; j < s.visible(i); j++) {
            double p = Math.exp(scores[j - first] - rowLse);
            for (int d = 0; d < size; d++) {
              sum[d] += p * values[j * size + d];
            }
          }
          ScalarRows.store(call.out(), query(s, b, i, h), sum, size);
          call.lse().set(lse(s, b, i, h), rowLse);
        }
      }
    }
  }

  private static void attentionBackward(AttentionCall.AttentionBackward call) {
    AttentionShape s = call.shape();
    int size = s.headSize();
    for (int b = 0; b < s.batch(); b++) {
      for (int kv = 0; kv < s.kvHeads(); kv++) {
        double[] keys = head(call.k(), s, b, kv);
        double[] values = head(call.v(), s, b, kv);
        double[] keysGrad = new double[keys.length];
        double[] valuesGrad = new double[values.length];
        for (int h = kv * s.groupSize(); h < (kv + 1) * s.groupSize(); h++) {
          for (int i = 0; i < s.queries(); i++) {
            double[] query = ScalarRows.load(call.q(), query(s, b, i, h), size);
            double[] result = ScalarRows.load(call.out(), query(s, b, i, h), size);
            double[] grad = ScalarRows.load(call.dout(), query(s, b, i, h), size);
            double[] queryGrad = new double[size];
            double rowLse = call.lse().get(lse(s, b, i, h));
            double ofLse = call.dlse() == null ? 0 : call.dlse().get(lse(s, b, i, h));
            double delta = ScalarRows.dot(grad, 0, result, 0, size) - ofLse;
            for (int j = s.first(i); j < s.visible(i); j++) {
              int at = j * size;
              double p = Math.exp(s.scale() * ScalarRows.dot(query, 0, keys, at, size) - rowLse);
              double ds = s.scale() * p * (ScalarRows.dot(grad, 0, values, at, size) - delta);
              for (int d = 0; d < size; d++) {
                queryGrad[d] += ds * keys[at + d];
                keysGrad[at + d] += ds * query[d];
                valuesGrad[at + d] += p * grad[d];
              }
            }
            ScalarRows.store(call.dq(), query(s, b, i, h), queryGrad, size);
          }
        }
        storeHead(call.dk(), s, b, kv, keysGrad);
        storeHead(call.dv(), s, b, kv, valuesGrad);
      }
    }
  }

  private static void zeroToken(AttentionCall.ZeroToken call) {
    AttentionShape s = call.shape();
    int size = s.headSize();
    for (int b = 0; b < s.batch(); b++) {
      for (int i = 0; i < s.queries(); i++) {
        for (int h = 0; h < s.heads(); h++) {
          long at = query(s, b, i, h);
          double[] query = ScalarRows.load(call.u(), at, size);
          double[] key = ScalarRows.load(call.key(), (long) h / s.groupSize() * size, size);
          double z = s.scale() * ScalarRows.dot(query, 0, key, 0, size);
          double others = call.lse().get(lse(s, b, i, h));
          double both = ScalarRows.logSumExp(new double[] {z, others}, 2);
          double share = Math.exp(z - both);
          double[] out = ScalarRows.load(call.out(), at, size);
          for (int d = 0; d < size; d++) {
            out[d] *= Math.exp(others - both);
          }
          ScalarRows.store(call.out(), at, out, size);
          call.lse().set(lse(s, b, i, h), both);
          call.share().set(at / size, share);
        }
      }
    }
  }

  private static void zeroTokenBackward(AttentionCall.ZeroTokenBackward call) {
    AttentionShape s = call.shape();
    int size = s.headSize();
    double[][] keyGrad = new double[s.kvHeads()][size];
    for (int b = 0; b < s.batch(); b++) {
      for (int i = 0; i < s.queries(); i++) {
        for (int h = 0; h < s.heads(); h++) {
          long at = query(s, b, i, h);
          double[] query = ScalarRows.load(call.u(), at, size);
          double[] key = ScalarRows.load(call.key(), (long) h / s.groupSize() * size, size);
          double[] out = ScalarRows.load(call.out(), at, size);
          double[] grad = ScalarRows.load(call.dout(), at, size);
          double share = call.share().get(at / size);
          double ofShare = share * call.dshare().get(at / size);
          double delta = ScalarRows.dot(grad, 0, out, 0, size);
          double dz = s.scale() * (ofShare - share * (delta + ofShare));
          double[] queryGrad = new double[size];
          for (int d = 0; d < size; d++) {
            queryGrad[d] = dz * key[d];
            keyGrad[h / s.groupSize()][d] += dz * query[d];
          }
          ScalarRows.store(call.du(), at, queryGrad, size);
          call.dlse().set(lse(s, b, i, h), -ofShare);
        }
      }
    }
    for (int kv = 0; kv < s.kvHeads(); kv++) {
      ScalarRows.store(call.dkey(), (long) kv * size, keyGrad[kv], size);
    }
  }

  private static long lse(AttentionShape s, int b, int i, int h) {
    return ((long) b * s.heads() + h) * s.queries() + i;
  }

  private static long query(AttentionShape s, int b, int i, int h) {
    return (((long) b * s.queries() + i) * s.heads() + h) * s.headSize();
  }

  private static long key(AttentionShape s, int b, int j, int kv) {
    return (((long) b * s.keys() + j) * s.kvHeads() + kv) * s.headSize();
  }

  /** One kv head as {@code [keys, headSize]}. */
  private static double[] head(Span x, AttentionShape s, int b, int kv) {
    double[] head = new double[s.keys() * s.headSize()];
    double[] row = new double[s.headSize()];
    for (int j = 0; j < s.keys(); j++) {
      ScalarRows.load(x, key(s, b, j, kv), row, s.headSize());
      System.arraycopy(row, 0, head, j * s.headSize(), s.headSize());
    }
    return head;
  }

  private static void storeHead(Span x, AttentionShape s, int b, int kv, double[] head) {
    double[] row = new double[s.headSize()];
    for (int j = 0; j < s.keys(); j++) {
      System.arraycopy(head, j * s.headSize(), row, 0, s.headSize());
      ScalarRows.store(x, key(s, b, j, kv), row, s.headSize());
    }
  }
}
