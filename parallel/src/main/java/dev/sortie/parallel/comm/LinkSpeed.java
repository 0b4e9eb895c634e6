package dev.sortie.parallel.comm;

/**
 * What the cost model knows of a group's links; measured when a job starts.
 *
 * @param latency α: seconds from rank to rank for an empty message
 * @param perByte β: seconds per byte sent, both ways at once
 * @param perByteAdded γ: seconds per byte added
 */
public record LinkSpeed(double latency, double perByte, double perByteAdded) {

  /** {@code messages·α + sent·β + added·γ}. */
  public double seconds(double messages, double sent, double added) {
    return messages * latency + sent * perByte + added * perByteAdded;
  }
}
