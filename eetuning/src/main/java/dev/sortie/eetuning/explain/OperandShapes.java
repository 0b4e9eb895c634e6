package dev.sortie.eetuning.explain;

import dev.sortie.tensor.kernel.AttentionCall;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.KernelCall;
import dev.sortie.tensor.kernel.LossCall;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.NormCall;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * The shapes that a call reads and writes, without weights and statistics.
 *
 * @param in of what was computed before
 * @param out of the results
 */
public record OperandShapes(List<List<Integer>> in, List<List<Integer>> out) {

  /** Those of a call; of one that works element by element its lengths. */
  static OperandShapes of(KernelCall call) {
    return switch (call) {
      case MatrixCall.Linear c -> one(List.of(c.m(), c.k()), List.of(c.m(), c.n()));
      case MatrixCall.PackedLinear c -> one(List.of(c.m(), c.w().k()), List.of(c.m(), c.w().n()));
      case MatrixCall.Linears c ->
          new OperandShapes(
              List.of(List.of(c.m(), c.k())),
              c.projections().stream().map(p -> List.of(c.m(), p.n())).toList());
      case MatrixCall.TiledLinears c ->
          new OperandShapes(
              List.of(List.of(c.m(), c.k())),
              c.projections().stream().map(p -> List.of(c.m(), p.w().n())).toList());
      case MatrixCall.GatherRows c -> one(List.of(c.rows()), List.of(c.rows(), c.cols()));
      case NormCall c -> one(List.of(c.rows(), c.cols()), List.of(c.rows(), c.cols()));
      case AttentionCall.Rope c -> same(dims(c.shape()));
      case AttentionCall.Attention c -> attention(c.shape());
      case AttentionCall.OverRuns c -> attention(c.shape());
      case LossCall.Argmax c -> one(List.of(c.rows(), c.cols()), List.of(c.rows()));
      default -> new OperandShapes(lengths(call.reads()), lengths(call.writes()));
    };
  }

  private static OperandShapes one(List<Integer> in, List<Integer> out) {
    return new OperandShapes(List.of(in), List.of(out));
  }

  private static OperandShapes same(List<Integer> shape) {
    return one(shape, shape);
  }

  private static List<Integer> dims(RopeShape s) {
    return List.of(s.tokens(), s.heads(), s.headSize());
  }

  private static OperandShapes attention(AttentionShape s) {
    List<Integer> queries = List.of(s.queries(), s.heads(), s.headSize());
    List<Integer> keys = List.of(s.keys(), s.kvHeads(), s.headSize());
    return new OperandShapes(List.of(queries, keys, keys), List.of(queries));
  }

  private static List<List<Integer>> lengths(List<Span> spans) {
    return spans.stream().map(span -> List.of(Math.toIntExact(span.length()))).toList();
  }
}
