package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.eetuning.host.Folders;
import dev.sortie.eetuning.train.data.SelfGeneratedText;
import dev.sortie.eetuning.train.data.TokenSource;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The frozen backbone's hidden states on disk: each window goes through the backbone once, later
 * epochs and later runs over the same data read what it left. They are kept in F32 as computed, so
 * that tuning gives the same bits with and without. A cache lies in a folder named by a hash of all
 * that decides the numbers: the backbone's weights, how they are used and how they are held, the
 * data, the window's length and the kernel set. Files take room as they fill. Replicas on one
 * machine, or with a folder that maps what any of them writes, fill one cache together.
 *
 * <p>A batch of up to {@link Kernels#ROW_STABLE} tokens is computed each time: the kernels for few
 * rows give other bits than those for many, and another run may have the same windows in batches of
 * another size.
 */
public final class FeatureCache implements AutoCloseable {
  private static final int SAVE_EVERY = 64;

  private final Path folder;
  private final FeatureSource computed;
  private final Kernels kernels;
  private final NativeArena arena = new NativeArena("feature cache");
  private final int windows;
  private final Shape row;
  private final Map<Integer, FeatureFile> hidden = new TreeMap<>();
  private final Map<Integer, FeatureFile> residual = new TreeMap<>();
  private final int replica;
  private int unsaved;

  /**
   * Opens or begins the cache of these data.
   *
   * @param parent folder of caches
   * @param exits where they read hidden states, these are kept
   * @param groups whose ranks are all replicas. A collective call
   */
  public static FeatureCache open(
      Path parent,
      LanguageModel model,
      TokenSource data,
      Exits exits,
      Kernels kernels,
      ProcessGroups groups) {
    return groups.firstOfRanks(
        () -> new FeatureCache(parent, model, data, exits, kernels, groups.coordinates().dp()));
  }

  private FeatureCache(
      Path parent,
      LanguageModel model,
      TokenSource data,
      Exits exits,
      Kernels kernels,
      int replica) {
    this.replica = replica;
    this.kernels = kernels;
    this.computed = FeatureSource.of(model.decoder());
    this.windows = Math.toIntExact(data.distinctWindows() + data.validationCount());
    this.row = Shape.of(1, data.length(), model.config().decoder().hidden());
    Map<String, Object> key = key(model, data, kernels);
    this.folder = Folders.keyed(parent, key);
    Folders.create(folder);
    Json.write(folder.resolve("features.json"), key);
    for (Exit e : exits.exits()) {
      hidden.put(e.depth(), file(e.depth() + ".hidden"));
      if (e.readsResidual()) {
        residual.put(e.depth(), file(e.depth() + ".residual"));
      }
    }
    Set<Integer> more = new TreeSet<>(Set.of(model.config().decoder().layers()));
    exits.lookahead().ifPresent(l -> more.addAll(l.features()));
    more.forEach(depth -> hidden.computeIfAbsent(depth, d -> file(d + ".hidden")));
  }

  private static Map<String, Object> key(LanguageModel model, TokenSource data, Kernels kernels) {
    Map<String, Object> key = new LinkedHashMap<>();
    key.put("backbone", model.statesSha256());
    key.put("weights", SelfGeneratedText.types(model));
    key.put("data", data.fingerprint());
    key.put("training_windows", data.distinctWindows());
    key.put("held_out_windows", data.validationCount());
    key.put("seq_len", data.length());
    key.put("kernels", kernels.name());
    return key;
  }

  private FeatureFile file(String name) {
    return new FeatureFile(folder.resolve(name), windows, row.count(), arena, replica);
  }

  /** Bytes that it takes when every window is in it. */
  public long bytes() {
    return (long) (hidden.size() + residual.size()) * windows * row.count() * Float.BYTES;
  }

  /** Where it lies. */
  public Path folder() {
    return folder;
  }

  /** The backbone, asked only for what is not here. */
  FeatureSource backbone() {
    return this::states;
  }

  private Map<Integer, HiddenState> states(
      Ops ops, Tensor ids, long[] numbers, Set<Integer> depths) {
    boolean few = ids.shape().count() <= Kernels.ROW_STABLE;
    if (few || !has(numbers, depths)) {
      Map<Integer, HiddenState> states = computed.states(ops, ids, numbers, depths);
      if (!few) {
        store(states, numbers);
      }
      return states;
    }
    Map<Integer, HiddenState> states = new HashMap<>();
    for (int depth : depths) {
      Tensor x = read(ops, hidden.get(depth), numbers);
      states.put(
          depth,
          new HiddenState(
              x, residual.containsKey(depth) ? read(ops, residual.get(depth), numbers) : x));
    }
    return states;
  }

  private boolean has(long[] numbers, Set<Integer> depths) {
    for (int depth : depths) {
      for (long n : numbers) {
        if (!hidden.get(depth).has(n)
            || residual.containsKey(depth) && !residual.get(depth).has(n)) {
          return false;
        }
      }
    }
    return true;
  }

  private Tensor read(Ops ops, FeatureFile file, long[] numbers) {
    Tensor x = ops.empty(DType.F32, Shape.of(numbers.length, row.dim(1), row.dim(2)));
    for (int b = 0; b < numbers.length; b++) {
      kernels.copy(file.row(numbers[b]), window(x, b));
    }
    return x;
  }

  private void store(Map<Integer, HiddenState> states, long[] numbers) {
    states.forEach(
        (depth, s) -> {
          write(s.x(), hidden.get(depth), numbers);
          if (residual.containsKey(depth)) {
            write(s.a(), residual.get(depth), numbers);
          }
        });
    if (++unsaved >= SAVE_EVERY) {
      save();
    }
  }

  private void write(Tensor x, FeatureFile file, long[] numbers) {
    for (int b = 0; b < numbers.length; b++) {
      file.write(numbers[b], window(x, b));
    }
  }

  private Span window(Tensor x, int b) {
    return x.span().slice(b * row.count(), row.count());
  }

  private void save() {
    hidden.values().forEach(FeatureFile::save);
    residual.values().forEach(FeatureFile::save);
    unsaved = 0;
  }

  @Override
  public void close() {
    try {
      save();
    } finally {
      hidden.values().forEach(FeatureFile::close);
      residual.values().forEach(FeatureFile::close);
      arena.close();
    }
  }
}
