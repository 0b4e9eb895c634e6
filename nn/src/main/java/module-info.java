/**
 * Neural networks on the tensor engine: modules, optimisers, the config-driven decoder, file
 * formats, tokenizers and the hub.
 */
module dev.sortie.nn {
  requires transitive dev.sortie.tensor;
  requires com.fasterxml.jackson.core;
  requires ejml.core;
  requires ejml.ddense;
  requires it.unimi.dsi.fastutil.core;
  requires java.management;
  requires java.net.http;
  requires jdk.management;

  exports dev.sortie.nn;
  exports dev.sortie.nn.basis;
  exports dev.sortie.nn.family;
  exports dev.sortie.nn.file;
  exports dev.sortie.nn.format;
  exports dev.sortie.nn.hub;
  exports dev.sortie.nn.json;
  exports dev.sortie.nn.load;
  exports dev.sortie.nn.model;
  exports dev.sortie.nn.optim;
  exports dev.sortie.nn.text;
  exports dev.sortie.nn.text.budget;
  exports dev.sortie.nn.text.chat;
  exports dev.sortie.nn.text.data;
  exports dev.sortie.nn.text.format;
  exports dev.sortie.nn.text.model;
  exports dev.sortie.nn.text.stage;
}
