package dev.sortie.parallel.comm.algorithm;

/**
 * The binomial tree over members counted from the root. The parent of k is k without its lowest bit
 * set; its children are k + d for the powers of two d below that bit, nearest last.
 */
record Tree(int root, int position, int size) {

  /** This member counted from the root. */
  int number() {
    return Math.floorMod(position - root, size);
  }

  /** Power of two below which children lie: the lowest bit of the number, or all for the root. */
  int reach() {
    int number = number();
    return number == 0 ? Integer.highestOneBit(2 * size - 1) : Integer.lowestOneBit(number);
  }

  /** Position of the parent; not for the root. */
  int parent() {
    int number = number();
    return at(number - Integer.lowestOneBit(number));
  }

  /** Whether there is a child at {@code distance}. */
  boolean hasChild(int distance) {
    return distance < reach() && number() + distance < size;
  }

  /** Position of the child at {@code distance}. */
  int child(int distance) {
    return at(number() + distance);
  }

  private int at(int number) {
    return (number + root) % size;
  }
}
