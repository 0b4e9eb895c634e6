import dev.sortie.eetuning.exercise.AllReduce;

/** Write the body, then run: ./sortie exercise all-reduce */
public class MyAllReduce implements AllReduce {

  // Every rank calls this, in a thread of its own, with an array of the same length.
  // At the end, data must hold the sum over all ranks, with the same bits on all of them.
  //
  // messages.rank(), messages.ranks():   who this is, and how many there are
  // messages.send(array, to):            sends a copy; does not wait
  // messages.receive(array, from):       waits for the next message of that rank, which fills the array
  @Override
  public void sum(Messages messages, float[] data) {
    throw new UnsupportedOperationException("not written yet");
  }
}
