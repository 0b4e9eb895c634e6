package dev.sortie.eetuning;

import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Copies of folders, and files with one thing wrong. */
public final class Altered {
  private Altered() {}

  /** Copies the files of a flat folder. */
  public static Path copy(Path from, Path to) {
    try (Stream<Path> files = Files.list(from)) {
      Files.createDirectories(to);
      for (Path f : files.toList()) {
        Files.copy(f, to.resolve(f.getFileName()));
      }
      return to;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Replaces text that must be there. */
  public static void text(Path file, String from, String to) {
    try {
      String old = Files.readString(file);
      if (!old.contains(from)) {
        throw new AssertionError(file + " does not have " + from + ": " + old);
      }
      Files.writeString(file, old.replace(from, to));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Cuts off the last bytes. */
  public static void truncate(Path file, int bytes) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(channel.size() - bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Leaves a tensor out. */
  public static void drop(Path file, String tensor) {
    rewrite(file, tensor, false, 1, DType.F32, span -> {});
  }

  /** Adds a tensor. */
  public static void add(Path file, String tensor) {
    rewrite(file, tensor, true, 1, DType.F32, span -> {});
  }

  /** Makes one element NaN. */
  public static void nan(Path file, String tensor, int element) {
    set(file, tensor, element, Double.NaN);
  }

  /** Changes one element. */
  public static void set(Path file, String tensor, int element, double value) {
    rewrite(file, tensor, true, 1, DType.F32, span -> span.set(element, value));
  }

  /** Gives a tensor twice as many rows. */
  public static void doubleRows(Path file, String tensor) {
    rewrite(file, tensor, true, 2, DType.F32, span -> {});
  }

  /** Rounds a tensor to BF16. */
  public static void bf16(Path file, String tensor) {
    rewrite(file, tensor, true, 1, DType.BF16, span -> {});
  }

  /** Adds a tensor once more by another name. */
  public static void again(Path file, String tensor, String name) {
    try (Safetensors source = Safetensors.open(file)) {
      SafetensorsWriter writer = new SafetensorsWriter();
      source
          .tensors()
          .forEach(
              (known, info) -> {
                long[] shape = info.shape().stream().mapToLong(Long::longValue).toArray();
                writer.tensor(known, source.read(known), shape);
                if (known.equals(tensor)) {
                  writer.tensor(name, source.read(known), shape);
                }
              });
      writer.write(file);
    }
  }

  private static void rewrite(
      Path file, String tensor, boolean keep, int factor, DType type, Consumer<Span> change) {
    try (Safetensors source = Safetensors.open(file);
        NativeArena arena = new NativeArena("altered")) {
      SafetensorsWriter writer = new SafetensorsWriter();
      source
          .tensors()
          .forEach(
              (name, info) -> {
                long[] shape = info.shape().stream().mapToLong(Long::longValue).toArray();
                if (!name.equals(tensor)) {
                  writer.tensor(name, source.read(name), shape);
                } else if (keep) {
                  Span old = source.read(name);
                  Span now = arena.allocate(type, factor * old.length()).span();
                  for (long i = 0; i < now.length(); i++) {
                    now.set(i, old.get(i % old.length()));
                  }
                  change.accept(now);
                  shape[0] *= factor;
                  writer.tensor(name, now, shape);
                }
              });
      if (keep && !source.tensors().containsKey(tensor)) {
        writer.tensor(tensor, arena.allocate(DType.F32, 2).span(), 2);
      }
      writer.write(file);
    }
  }

  /** Names of all files below a folder, none if it is not there. */
  public static List<String> files(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile)
          .map(f -> folder.relativize(f).toString())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
