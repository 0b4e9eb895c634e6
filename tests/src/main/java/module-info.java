/**
 * Tests that cross modules: a user's view, with exported packages only. Holds no code of its own.
 */
module dev.sortie.tests {
  requires dev.sortie.eetuning;
  requires dev.sortie.langchain4j;
  requires dev.sortie.opencl;
  requires dev.sortie.parallel;
  requires java.net.http;
}
