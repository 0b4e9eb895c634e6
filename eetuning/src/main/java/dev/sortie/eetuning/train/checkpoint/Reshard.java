package dev.sortie.eetuning.train.checkpoint;

import dev.sortie.eetuning.host.Folders;
import dev.sortie.eetuning.host.OutputFolder;
import dev.sortie.nn.InputException;
import dev.sortie.nn.Slice;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.parallel.mesh.Axis;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.shard.ShardRange;
import dev.sortie.parallel.shard.TensorShard;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.kernel.Kernels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Checks a run's newest checkpoint, and writes it again for another layout. Any number of replicas
 * and stages resumes from any checkpoint; another number of ranks that share weights adds in
 * another order, so that a run resumes with them only where this was asked for.
 *
 * @param run folder of the run
 * @param notes takes a line for each checkpoint that is not whole
 */
public record Reshard(Path run, Consumer<String> notes) {

  /**
   * A checkpoint that is whole.
   *
   * @param step steps done
   * @param files the hash of each file
   * @param tensors how many there are
   * @param elements of all of them
   */
  public record Checked(int step, Map<String, String> files, int tensors, long elements) {}

  /**
   * The newest checkpoint that is whole: every file has its hash, and every element is there once.
   *
   * @throws InputException if there is none
   */
  public Checked check() {
    Checkpoint found = newest();
    try (ShardReader reader = found.open()) {
      return checked(found.step(), found.files(), reader);
    }
  }

  private Checkpoint newest() {
    CheckpointListener listener =
        new CheckpointListener() {
          @Override
          public void skipped(String line) {
            notes.accept(line);
          }
        };
    return Checkpoints.newest(run, listener);
  }

  private static Checked checked(int step, Map<String, String> files, ShardReader reader) {
    long elements = reader.tensors().values().stream().mapToLong(Shape::count).sum();
    return new Checked(step, files, reader.tensors().size(), elements);
  }

  /**
   * Writes it for ranks of a mesh: a file for each stage and each rank that shares its weights.
   * Tensors are dealt out in order so that files have about the same size, and cut along their
   * first dim; a rank reads what it needs from whatever file it is in.
   *
   * @param sequence whether ranks that share weights share out the tokens too
   * @param out folder of the run that resumes, which has no checkpoints yet
   * @throws InputException if there is nothing to read, it cannot be written, or another process
   *     writes to {@code out}
   */
  public Checked write(Mesh mesh, boolean sequence, Path out, Kernels kernels) {
    CheckpointFolder folder = CheckpointFolder.of(out);
    List<Path> there = folder.list();
    if (!there.isEmpty()) {
      throw new InputException(there.getFirst() + ": is there already; give another --out");
    }
    Checkpoint found = newest();
    try (OutputFolder held = new OutputFolder(out);
        ShardReader reader = found.open()) {
      held.open();
      folder.deleteTemporaries(); // of an earlier one that has failed
      int tp = mesh.size(Axis.TP);
      List<List<String>> stages = dealt(reader.tensors(), mesh.size(Axis.PP));
      Map<String, String> files = new LinkedHashMap<>();
      Folders.create(folder.path());
      AtomicFiles.writeFolder(
          folder.checkpoint(found.step()),
          target -> {
            int count = stages.size() * tp;
            for (int i = 0; i < count; i++) {
              String name = CheckpointNames.ofShard(i, count);
              List<String> some = stages.get(i / tp);
              int rank = i % tp;
              Map<String, TensorShard> portions = new LinkedHashMap<>();
              some.forEach(t -> portions.put(t, portion(reader.tensors().get(t), tp, rank)));
              files.put(name, ShardWriter.copy(target.resolve(name), reader, portions, kernels));
            }
            found.writeAgain(
                target, Fingerprint.withShares(found.fingerprint(), tp, sequence), files);
          });
      folder.nameLatest(found.step());
      return checked(found.step(), files, reader);
    }
  }

  /** Neighbours together, so that each list has about as many elements. */
  private static List<List<String>> dealt(Map<String, Shape> tensors, int lists) {
    double all = tensors.values().stream().mapToDouble(Shape::count).sum();
    List<List<String>> dealt = new ArrayList<>();
    for (int i = 0; i < lists; i++) {
      dealt.add(new ArrayList<>());
    }
    double before = 0;
    for (Map.Entry<String, Shape> t : tensors.entrySet()) {
      double middle = before + t.getValue().count() / 2.0;
      dealt.get(Math.min(lists - 1, (int) (middle * lists / all))).add(t.getKey());
      before += t.getValue().count();
    }
    return dealt;
  }

  /** A rank's rows; a tensor of fewer rows than ranks is the first one's. */
  private static TensorShard portion(Shape whole, int ranks, int rank) {
    if (ranks == 1 || whole.rank() == 0 || whole.dim(0) < ranks) {
      return new TensorShard(whole, Optional.empty(), rank == 0);
    }
    ShardRange share = ShardRange.of(whole.dim(0), ranks, rank);
    return new TensorShard(whole, Optional.of(new Slice(0, share.from(), share.count())), true);
  }
}
