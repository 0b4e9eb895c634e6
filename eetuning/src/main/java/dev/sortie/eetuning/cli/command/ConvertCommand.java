package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.option.SharedBasesMixin;
import dev.sortie.eetuning.cli.view.Interrupt;
import dev.sortie.eetuning.cli.view.ProgressLine;
import dev.sortie.eetuning.cli.view.SharedBasesView;
import dev.sortie.eetuning.host.ModelName;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.basis.GroupFactors;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.ModelConverter;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.SharedBasesConverter;
import dev.sortie.nn.model.SharedBases;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.BlockEncoder;
import dev.sortie.tensor.dtype.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** From one format or type to another. */
@Command(
    name = "convert",
    mixinStandardHelpOptions = true,
    description =
        "Writes a model as a GGUF file or a Hugging Face folder, optionally in "
            + "another type. The output is written atomically.")
public final class ConvertCommand implements Callable<Integer> {
  private static final List<DType> TYPES =
      Stream.concat(Stream.of(DType.F32, DType.F16, DType.BF16), BlockEncoder.TYPES.stream())
          .toList();

  @Mixin private ComputeMixin compute;

  @Parameters(paramLabel = "SRC", description = ModelName.HELP)
  private String source;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DST",
      description = "The file or folder to write. It must not exist.")
  private Path out;

  @Option(
      names = "--to",
      paramLabel = "FORMAT",
      description = "gguf or safetensors. Default: gguf where DST ends in .gguf.")
  private String format;

  @Option(
      names = "--quantize",
      paramLabel = "TYPE",
      description =
          "Type of the matrices: f32, f16 or bf16; in a GGUF file also q8_0, q5_1, "
              + "q5_0, q4_1, q4_0 or q4_k. Default: unchanged (quantised matrices become "
              + "f32 in safetensors).")
  private String type;

  @Mixin private SharedBasesMixin bases;

  @Option(
      names = "--json",
      description =
          "Print the files with sizes and SHA-256 hashes, and the number of "
              + "tensors, as one JSON object to standard output.")
  private boolean json;

  private Optional<SharedBasesView> shared = Optional.empty();

  @Override
  public Integer call() {
    boolean gguf = isGguf();
    DType dtype = type();
    boolean shares = bases.isGiven();
    if (shares && gguf) {
      throw new UsageException(
          "--out " + out + ": GGUF has no words for shared bases; name a folder");
    }
    if (Files.exists(out, LinkOption.NOFOLLOW_LINKS)) {
      throw new InputException("--out " + out + " is there already; give another name");
    }
    Path from = ModelName.path(source);
    try (Device device = compute.open();
        ModelFiles files = ModelFiles.open(from);
        Interrupt interrupt = new Interrupt();
        Progress progress = new Progress(interrupt)) {
      if (shares) {
        shared = share(files, dtype, device, progress);
      } else if (gguf) {
        ModelConverter.toGguf(files, out, dtype, device.kernels(), progress::see);
      } else {
        AtomicFiles.writeFolder(
            out,
            folder ->
                ModelConverter.toSafetensors(
                    files, folder, dtype, device.kernels(), progress::see));
      }
      if (json) {
        System.out.println(Json.compact(written(files, gguf)));
      }
    }
    shared.ifPresent(view -> System.err.print(view.table()));
    System.err.println(from + " converted to " + out);
    return 0;
  }

  private Optional<SharedBasesView> share(
      ModelFiles files, DType dtype, Device device, Progress progress) {
    SharedBases wanted = bases.bases(files);
    List<GroupFactors.Loss> losses = new ArrayList<>();
    AtomicFiles.writeFolder(
        out,
        folder -> {
          if (bases.makes()) {
            losses.addAll(
                SharedBasesConverter.factor(
                    files, folder, wanted, bases.windows(files), dtype, device, progress::see));
          } else {
            SharedBasesConverter.cut(files, folder, wanted, dtype, device.kernels(), progress::see);
          }
        });
    return Optional.of(new SharedBasesView(files.config().decoder(), wanted, losses));
  }

  private Map<String, Object> written(ModelFiles from, boolean gguf) {
    List<Map<String, Object>> files = new ArrayList<>();
    try (Stream<Path> names = gguf ? Stream.of(out) : Files.list(out)) {
      for (Path file : (Iterable<Path>) names.sorted()::iterator) {
        files.add(
            Json.object(
                "file",
                file.getFileName().toString(),
                "bytes",
                Files.size(file),
                "sha256",
                Sha256.of(file)));
      }
    } catch (IOException e) {
      throw InputFiles.cannotRead(out, e);
    }
    Map<String, Object> root =
        Json.object(
            "source",
            from.path().toString(),
            "out",
            out.toString(),
            "format",
            gguf ? "gguf" : "safetensors",
            "tensors",
            from.weights().tensors().size(),
            "bytes",
            files.stream().mapToLong(f -> (Long) f.get("bytes")).sum(),
            "files",
            files);
    shared.ifPresent(view -> root.put("shared_bases", view.json()));
    return root;
  }

  private boolean isGguf() {
    boolean named = out.toString().toLowerCase(Locale.ROOT).endsWith(".gguf");
    return switch (format == null ? (named ? "gguf" : "safetensors") : format) {
      case "gguf" -> {
        if (!named) {
          throw new UsageException("--out " + out + " must end in .gguf, as GGUF files do");
        }
        yield true;
      }
      case "safetensors" -> {
        if (named) {
          throw new UsageException("--out " + out + " ends in .gguf; name a folder");
        }
        yield false;
      }
      default ->
          throw new UsageException("--to '" + format + "' is unknown; take gguf or safetensors");
    };
  }

  private DType type() {
    return type == null
        ? null
        : TYPES.stream()
            .filter(t -> t.name().equalsIgnoreCase(type))
            .findFirst()
            .orElseThrow(
                () ->
                    new UsageException(
                        "--quantize '%s' is unknown; take one of %s"
                            .formatted(
                                type,
                                TYPES.stream()
                                    .map(t -> t.name().toLowerCase(Locale.ROOT))
                                    .collect(Collectors.joining(", ")))));
  }

  /** A progress line in MiB, begun when the size is known. Ends the work on Ctrl-C. */
  private static final class Progress implements AutoCloseable {
    private static final long MIB = 1 << 20;

    private final Interrupt interrupt;
    private ProgressLine line;

    Progress(Interrupt interrupt) {
      this.interrupt = interrupt;
    }

    void see(String tensor, long done, long total) {
      if (interrupt.wanted()) {
        throw new InputException("convert was interrupted; nothing is written");
      }
      if (line == null) {
        line = ProgressLine.start("convert (MiB)", Math.ceilDiv(total, MIB), System.err);
      }
      line.step(Math.ceilDiv(done, MIB), tensor);
    }

    @Override
    public void close() {
      if (line != null) {
        line.close();
      }
    }
  }
}
