package dev.sortie.eetuning.exercise;

/** To write: the sum over all ranks, for all ranks, by messages. */
public interface AllReduce {

  /**
   * Replaces the data of each rank by the element-wise sum over all ranks. Every rank calls this
   * with as many elements, each in a thread of its own; one object serves all of them. All ranks
   * must get the same bits, and the same bits in every run.
   *
   * @param messages to and from the other ranks
   * @param data this rank's summand, then the sum
   */
  void sum(Messages messages, float[] data);

  /** What a rank can do: messages between two ranks, as the engine's communicator has them. */
  interface Messages {

    /** This rank, 0 to {@code ranks() - 1}. */
    int rank();

    /** How many ranks there are. */
    int ranks();

    /** Sends a copy of the elements to another rank. Does not wait until they are received. */
    void send(float[] elements, int to);

    /**
     * Waits for the next message of another rank. Messages of one rank arrive in the order in which
     * they were sent.
     *
     * @param elements where they go; as many as were sent
     */
    void receive(float[] elements, int from);
  }
}
