package dev.sortie.nn.load;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.Slice;
import dev.sortie.nn.format.TensorInfo;
import dev.sortie.nn.format.WeightSource;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderSwitches;
import dev.sortie.nn.model.DecoderSwitches.Rotation;
import dev.sortie.nn.model.ModelPartition;
import dev.sortie.tensor.dtype.DType;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The memory that a model takes, known before it is loaded. All sizes in bytes.
 *
 * @param copied weights that are copied
 * @param tiles weights in tiles, see {@link Arithmetic#INTEGER}, but for what fills up the last
 *     tile of each
 * @param inPlace weights that are used where the file is mapped: memory that the system fills from
 *     the file and may take back; not those in tiles, which are read there no more
 * @param tables rotary tables for the whole context
 * @param kvPerToken keys and values that each token of a sequence adds, in F32
 */
public record ModelMemory(long copied, long tiles, long inPlace, long tables, long kvPerToken) {
  private static final String OTHERWISE =
      "close other programs, or take a smaller model or a machine with more";

  /** That of a model whose matrices are held in {@code precision}, for exact arithmetic. */
  public static ModelMemory of(ModelFiles files, Precision precision) {
    return of(files, precision, Arithmetic.EXACT, ModelPartition.WHOLE);
  }

  /** That of a part of a model for an arithmetic. */
  public static ModelMemory of(
      ModelFiles files, Precision precision, Arithmetic arithmetic, ModelPartition held) {
    WeightSource source = files.weights();
    DecoderConfig whole = files.config().decoder();
    long copied = 0;
    long tiles = 0;
    long inPlace = 0;
    for (String name : source.tensors().keySet()) {
      if (!held.needs(name)) {
        continue;
      }
      TensorInfo info = source.tensors().get(name);
      var type = FileWeights.held(info.dtype(), info.shape().size() > 1, precision);
      boolean mapped = source.isMapped(name);
      Optional<Slice> part = held.part(whole, name);
      boolean columns = part.isPresent() && part.get().dim() > 0;
      long elements = part.map(p -> elements(info, p)).orElse(info.elements());
      boolean tiled =
          arithmetic == Arithmetic.INTEGER
              && ModelTiles.liesInTiles(whole, held::needs, name, type);
      tiles += tiled ? ModelTiles.bytes(type, elements) : 0;
      if (mapped && !columns && FileWeights.inPlace(info.dtype(), type, precision)) {
        boolean left = tiled && ModelTiles.leavesItsPlace(name);
        inPlace += left ? 0 : info.dtype().bytes(elements);
      } else {
        boolean twice = !mapped && (type != info.dtype() || columns);
        // what is rearranged is so as a whole, and copied again if its type changes or it is cut
        copied += mapped || twice ? type.bytes(elements) : info.bytes();
        copied += twice ? info.bytes() : 0;
      }
    }
    DecoderConfig c = held.share(whole);
    return new ModelMemory(
        copied,
        tiles,
        inPlace,
        tables(c) * c.context() * c.switches().rotary() * Float.BYTES,
        2L * c.layers() * c.kvHeads() * c.headSize() * Float.BYTES);
  }

  /** A tensor of another shape than the configuration's is refused later, by its name. */
  private static long elements(TensorInfo info, Slice part) {
    boolean odd = info.shape().size() <= part.dim() || info.shape().get(part.dim()) < part.count();
    return odd ? info.elements() : info.elements() / info.shape().get(part.dim()) * part.count();
  }

  /** Number of rotary tables. */
  private static long tables(DecoderConfig c) {
    DecoderSwitches s = c.switches();
    return (s.rotates(Rotation.GLOBAL) ? 1 : 0) + (s.rotates(Rotation.LOCAL) ? 1 : 0);
  }

  /** Memory that the loaded model takes once all of it was used. */
  public long resident() {
    return copied + tiles + inPlace + tables;
  }

  /**
   * Fails if the model cannot fit. Weights in place do not count: the system reads them from the
   * file again where they do not fit.
   *
   * @param available memory that there is
   * @throws InputException with the numbers
   */
  public void require(ModelFiles files, Precision precision, AvailableMemory available) {
    if (copied + tiles + tables <= available.bytes()) {
      return;
    }
    ModelMemory least = of(files, Precision.FILE);
    boolean fits = least.copied + least.tables <= available.bytes();
    if (tiles > 0) { // so they are held as the file has them
      throw new InputException(
          "%s: its weights in tiles for integer arithmetic take %s, other copies %s, and its rotary tables %s; %s are available (%s); %s"
              .formatted(
                  files.path(),
                  Printable.size(tiles),
                  Printable.size(copied),
                  Printable.size(tables),
                  Printable.size(available.bytes()),
                  available.origin(),
                  fits
                      ? "multiply with the weights as the file has them (--exact): %s, used in place"
                          .formatted(Printable.size(least.inPlace))
                      : OTHERWISE));
    }
    throw new InputException(
        "%s: its weights, mostly %s in the file, take %s as %s, and its rotary tables %s; %s are available (%s); %s"
            .formatted(
                files.path(),
                mostly(files.weights()),
                Printable.size(copied),
                precision == Precision.FILE ? "they are" : word(precision.name()),
                Printable.size(tables),
                Printable.size(available.bytes()),
                available.origin(),
                fits
                    ? "leave them as the file has them (--dtype file): %s, used in place"
                        .formatted(Printable.size(least.inPlace))
                    : OTHERWISE));
  }

  /** The type of most of a file's bytes. */
  private static String mostly(WeightSource source) {
    Map<DType, Long> bytes = new EnumMap<>(DType.class);
    source.tensors().values().forEach(t -> bytes.merge(t.dtype(), t.bytes(), Long::sum));
    return word(Collections.max(bytes.entrySet(), Map.Entry.comparingByValue()).getKey().name());
  }

  private static String word(String type) {
    return type.toLowerCase(Locale.ROOT);
  }

  /** All of it on one line. */
  public String describe() {
    String weights =
        "%s copied and %s in place".formatted(Printable.size(copied), Printable.size(inPlace));
    return "takes %s of memory: weights %s%s, rotary tables %s; KV cache %s per token"
        .formatted(
            Printable.size(resident()),
            tiles == 0 ? "" : Printable.size(tiles) + " in tiles for integer arithmetic, ",
            weights,
            Printable.size(tables),
            Printable.size(kvPerToken));
  }
}
