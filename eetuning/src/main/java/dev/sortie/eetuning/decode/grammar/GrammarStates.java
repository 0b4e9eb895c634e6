package dev.sortie.eetuning.decode.grammar;

/** How the bytes of a text lead through a grammar. Not thread-safe. */
final class GrammarStates implements TokenTrie.Step<Stacks> {
  private final Automaton automaton;
  private final Configurations configurations;
  private final Stacks first;

  /**
   * The states of a grammar.
   *
   * @throws dev.sortie.nn.InputException if it is too large, a rule begins with itself, or no text
   *     of it ends
   */
  GrammarStates(Grammar grammar) {
    automaton = AutomatonBuilder.build(grammar);
    configurations = new Configurations(grammar.origin(), automaton);
    first = configurations.first();
  }

  /** Before any byte. */
  Stacks first() {
    return first;
  }

  /** The state after a byte; a dead one where the byte is forbidden. */
  Stacks go(Stacks at, int unsignedByte) {
    return configurations.next(at, automaton.classOf(unsignedByte));
  }

  @Override
  public Stacks next(Stacks at, int unsignedByte) {
    Stacks next = go(at, unsignedByte);
    return next.isDead() ? null : next;
  }

  /** Work for another token begins. */
  void begin() {
    configurations.begin();
  }

  /** Forgets all states but those that texts have. */
  void forget() {
    configurations.forget();
  }
}
