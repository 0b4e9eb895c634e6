///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25+
//DEPS dev.sortie:sortie-eetuning:0.1.0-SNAPSHOT
//REPOS mavencentral,sortie=file:///some/folder
//RUNTIME_OPTIONS --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED
import dev.sortie.eetuning.Sortie;
import dev.sortie.eetuning.TextOptions;

/** Continues a tale with the embedded model, as a script. */
void main() {
  try (var model = Sortie.load("fable")) {
    IO.print("Once upon a time");
    model.generate("Once upon a time", TextOptions.atMost(24)).forEach(t -> IO.print(t.text()));
    IO.println();
    IO.println("kernels: " + model.languageModel().device().kernels().name());
  }
}
