package dev.sortie.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.ScalarKernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compiled programs are found again, and only as they were written. */
class BinaryCacheContractTest {
  private static final byte[] CODE = {1, 2, 3, 4, 5};

  @TempDir Path folder;

  private BinaryCache.Key key(BinaryCache cache, String source) {
    return cache.key(List.of("a device", "1.0"), "-DX", source);
  }

  @Test
  void whatIsStoredIsFoundUnderItsKeyAlone() {
    BinaryCache cache = new BinaryCache(folder.resolve("opencl"));
    cache.store(key(cache, "source"), CODE);
    assertThat(cache.load(key(cache, "source"))).isEqualTo(CODE);
    assertThat(cache.load(key(cache, "another"))).isEmpty();
    assertThat(cache.load(cache.key(List.of("a device", "1.1"), "-DX", "source"))).isEmpty();
    assertThat(cache.load(cache.key(List.of("a device1.0"), "-DX", "source"))).isEmpty();
    assertThat(cache.load(cache.key(List.of("a device", "1.0"), "", "source"))).isEmpty();
  }

  @Test
  void aFileThatIsNotAsItWasWrittenIsRemoved() throws IOException {
    BinaryCache cache = new BinaryCache(folder.resolve("opencl"));
    BinaryCache.Key key = key(cache, "source");
    cache.store(key, CODE);
    byte[] whole = Files.readAllBytes(cache.file(key));
    for (int i = 0; i <= whole.length; i++) {
      byte[] bad =
          i < whole.length ? whole.clone() : java.util.Arrays.copyOf(whole, whole.length - 1);
      if (i < whole.length) {
        bad[i] ^= 1;
      }
      Files.write(cache.file(key), bad);
      assertThat(cache.load(key)).as("byte %d", i).isEmpty();
      assertThat(cache.file(key)).doesNotExist();
    }
    // a whole file, but another program's
    cache.store(key(cache, "another"), CODE);
    Files.move(cache.file(key(cache, "another")), cache.file(key));
    assertThat(cache.load(key)).isEmpty();
  }

  @Test
  void theFolderIsPrivateAndOneThatOthersMayWriteToIsNotUsed() throws IOException {
    Path mine = folder.resolve("mine");
    new BinaryCache(mine);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(mine)))
        .isEqualTo("rwx------");
    Files.setPosixFilePermissions(mine, PosixFilePermissions.fromString("rwxrwxrwx"));
    BinaryCache open = new BinaryCache(mine);
    open.store(key(open, "source"), CODE);
    assertThat(open.load(key(open, "source"))).isEmpty();
    try (var files = Files.list(mine)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  @NeedsDevice
  void aProgramFromTheCacheComputesAndADamagedOneIsBuiltAnew() throws IOException {
    Path cache = folder.resolve("opencl");
    assertThat(sum(cache)).isEqualTo(5);
    List<Path> files;
    try (var all = Files.list(cache)) {
      files = all.toList();
    }
    assertThat(files).hasSize(1);
    long written = Files.getLastModifiedTime(files.getFirst()).toMillis();
    assertThat(sum(cache)).isEqualTo(5);
    assertThat(Files.getLastModifiedTime(files.getFirst()).toMillis()).isEqualTo(written);
    Files.write(files.getFirst(), new byte[200]);
    assertThat(sum(cache)).isEqualTo(5);
    assertThat(Files.size(files.getFirst())).isNotEqualTo(200);
  }

  private static double sum(Path cache) {
    OpenClOptions options = new OpenClOptions("gpu", false, Optional.of(cache));
    try (OpenClKernels kernels = OpenClProvider.open(0, new ScalarKernels(), options);
        NativeArena arena = new NativeArena("test")) {
      Span x = arena.allocate(DType.F32, 4).span();
      x.set(0, 3);
      kernels.addScalar(2, x);
      assertThat(kernels.disabled()).isEmpty();
      assertThat(kernels.hostCalls()).isEmpty();
      return x.get(0);
    }
  }

  @Test
  @NeedsDevice
  void aSourceThatDoesNotCompileIsToldWithTheCompilersLog() {
    ClDevice device = ClPlatforms.ask().devices().getFirst();
    try (ClSession session = new ClSession(device)) {
      ClPrograms programs =
          new ClPrograms(
              session, Preset.of(device, "gpu"), new BinaryCache(null), UnaryOperator.identity());
      assertThatThrownBy(() -> programs.kernel("weights", "W_NO_SUCH_TYPE", "gemv"))
          .isInstanceOf(ClPrograms.BuildException.class)
          .hasMessageContaining("weights.cl")
          .hasMessageContaining("decode"); // the function that this macro leaves out
    }
  }
}
