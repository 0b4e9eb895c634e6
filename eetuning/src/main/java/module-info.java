/** EE-Tuning, early-exit decoding, evaluation and the command line. */
module dev.sortie.eetuning {
  requires transitive dev.sortie.nn;
  requires transitive dev.sortie.parallel;
  requires info.picocli;
  requires me.tongfei.progressbar;
  requires io.netty.buffer;
  requires io.netty.codec;
  requires io.netty.codec.http;
  requires io.netty.common;
  requires io.netty.handler;
  requires io.netty.transport;
  requires java.compiler;
  requires java.management;
  requires jdk.management;

  exports dev.sortie.eetuning;
  exports dev.sortie.eetuning.calibrate;
  exports dev.sortie.eetuning.cli;
  exports dev.sortie.eetuning.cli.base;
  exports dev.sortie.eetuning.cost;
  exports dev.sortie.eetuning.decode;
  exports dev.sortie.eetuning.decode.batch;
  exports dev.sortie.eetuning.decode.chat;
  exports dev.sortie.eetuning.decode.edge;
  exports dev.sortie.eetuning.decode.grammar;
  exports dev.sortie.eetuning.decode.grammar.schema;
  exports dev.sortie.eetuning.decode.pipeline;
  exports dev.sortie.eetuning.decode.policy;
  exports dev.sortie.eetuning.decode.sampling;
  exports dev.sortie.eetuning.decode.single;
  exports dev.sortie.eetuning.decode.speculative;
  exports dev.sortie.eetuning.decode.tool;
  exports dev.sortie.eetuning.display;
  exports dev.sortie.eetuning.eval;
  exports dev.sortie.eetuning.eval.report;
  exports dev.sortie.eetuning.eval.task;
  exports dev.sortie.eetuning.exercise;
  exports dev.sortie.eetuning.exit;
  exports dev.sortie.eetuning.host;
  exports dev.sortie.eetuning.plot;
  exports dev.sortie.eetuning.sample;
  exports dev.sortie.eetuning.serve;
  exports dev.sortie.eetuning.serve.api;
  exports dev.sortie.eetuning.serve.engine;
  exports dev.sortie.eetuning.serve.http;
  exports dev.sortie.eetuning.train;
  exports dev.sortie.eetuning.train.audit;
  exports dev.sortie.eetuning.train.checkpoint;
  exports dev.sortie.eetuning.train.data;
  exports dev.sortie.eetuning.train.loop;
  exports dev.sortie.eetuning.train.pretrain;
  exports dev.sortie.eetuning.train.rank;
  exports dev.sortie.eetuning.train.stage;
  exports dev.sortie.eetuning.train.tune;

  opens dev.sortie.eetuning.cli to
      info.picocli;
  opens dev.sortie.eetuning.cli.base to
      info.picocli;
  opens dev.sortie.eetuning.cli.command to
      info.picocli;
  opens dev.sortie.eetuning.cli.option to
      info.picocli;

  uses dev.sortie.tensor.device.DeviceProvider;
}
