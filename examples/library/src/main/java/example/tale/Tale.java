package example.tale;

import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.Sortie;
import dev.sortie.eetuning.TextOptions;

/** Continues a tale with the embedded model. */
public final class Tale {
  private Tale() {}

  /**
   * Prints it.
   *
   * @param args how it begins; nothing for the usual way
   */
  public static void main(String[] args) {
    String beginning = args.length == 0 ? "Once upon a time" : String.join(" ", args);
    try (Model model = Sortie.load("fable")) {
      System.out.print(beginning);
      model
          .generate(beginning, TextOptions.atMost(24))
          .forEach(token -> System.out.print(token.text()));
      System.out.println();
      System.out.println("kernels: " + model.languageModel().device().kernels().name());
    }
  }
}
