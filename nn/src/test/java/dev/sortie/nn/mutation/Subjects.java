package dev.sortie.nn.mutation;

import dev.sortie.mutation.Subject;
import dev.sortie.nn.InputException;
import dev.sortie.nn.family.GenerationConfig;
import dev.sortie.nn.format.FormatCorpus;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.hub.HubCorpus;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelConverter;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.ModelMemory;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.TextCorpus;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.chat.ChatCorpus;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.nn.text.data.TokenDataset;
import dev.sortie.nn.text.format.TokenizerJson;
import dev.sortie.nn.text.format.TokenizerModel;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.Workspace;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** All kinds of files that Sortie reads from others. */
final class Subjects {
  private static final String TEXT = "The hen\u2019s  \u00e9\ud83d\ude00 <|endoftext|>\n123\u0000";

  /** What has ended engines of regular expressions and normalisation; repeated. */
  private static final List<String> HOSTILE =
      List.of(
          "a",
          " ",
          "\n",
          "7",
          "'s",
          "aA",
          "\u2581",
          "\u0301\u0316",
          "\u0149",
          "\uFDFA",
          "\uD83D\uDC69\u200D",
          "<|endoftext",
          "<0x41>",
          "\u1100\u1161");

  private static final int LONG = 20_000;
  private static final Path FAMILIES = Path.of("../tests/src/test/resources/fixtures/families");
  private static final long LARGE = 64 << 20;

  private final Path folder;
  private final Device device;

  Subjects(Path folder, Device device) {
    this.folder = folder;
    this.device = device;
  }

  List<Subject> all() throws IOException {
    List<Subject> all = new ArrayList<>();
    all.add(new Subject("a.safetensors", FormatCorpus.safetensors(), this::safetensors));
    all.add(new Subject("a.gguf", FormatCorpus.gguf(folder), this::gguf));
    all.add(
        new Subject(
            "raw.gguf",
            FormatCorpus.rawGguf(),
            b -> FormatCorpus.readRawGguf(write("raw.gguf", b))));
    List<byte[]> tokenizers = TextCorpus.tokenizers().stream().map(Subjects::utf8).toList();
    all.add(new Subject("tokenizer.json", tokenizers, this::tokenizer));
    all.add(
        new Subject(
            "tokenizer.model",
            TextCorpus.sentencePieceModels(),
            b -> use(TokenizerModel.read(write("tokenizer.model", b)))));
    all.add(
        new Subject(
            "tokenizer.gguf",
            FormatCorpus.gguf(folder),
            b -> {
              try (ModelFiles files = ModelFiles.open(write("tokenizer.gguf", b))) {
                use(files.tokenizer());
              }
            }));
    all.add(new Subject("chat_template.jinja", ChatCorpus.templates(), ChatCorpus::render, false));
    Tokenizer tokenizer =
        TokenizerJson.read(write("tokenizer.json", utf8(TextCorpus.tokenizers().getFirst())));
    all.add(
        new Subject(
            "encoded.jinja", ChatCorpus.templates(), b -> ChatCorpus.encode(b, tokenizer), false));
    all.add(new Subject("messages.json", List.of(utf8(MESSAGES)), this::messages));
    all.add(new Subject("listing.json", HubCorpus.listings(), HubCorpus::read));
    all.add(new Subject("tokens.bin", List.of(tokens()), this::dataset));
    Path model = folder.resolve("model");
    FormatCorpus.folder(model, TextCorpus.tokenizers().getFirst(), TextCorpus.vocab());
    all.addAll(ofFolder(model));
    List<byte[]> converted = new ArrayList<>();
    try (Stream<Path> families = Files.list(FAMILIES)) {
      for (Path family : families.filter(Files::isDirectory).sorted().toList()) {
        Path copy = Files.createDirectory(folder.resolve(family.getFileName()));
        Files.copy(FAMILIES.resolve("tokenizer.json"), copy.resolve("tokenizer.json"));
        for (String file : List.of("config.json", "model.safetensors")) {
          Files.copy(family.resolve(file), copy.resolve(file));
        }
        all.addAll(ofFolder(copy));
        converted.addAll(gguf(copy));
      }
    }
    all.add(new Subject("families.gguf", converted, this::gguf));
    return all;
  }

  /** A subject for each file of a model, among the others as they are. */
  private List<Subject> ofFolder(Path model) throws IOException {
    List<Subject> all = new ArrayList<>();
    try (Stream<Path> files = Files.list(model)) {
      for (Path file : files.sorted().toList()) {
        byte[] right = Files.readAllBytes(file);
        String name = model.getFileName() + "-" + file.getFileName();
        all.add(new Subject(name, List.of(right), b -> inFolder(file, b, right)));
      }
    }
    return all;
  }

  /** A model as GGUF, where its family has that; some of the samples use what GGUF cannot say. */
  private List<byte[]> gguf(Path model) throws IOException {
    Path file = folder.resolve("converted.gguf");
    try (ModelFiles files = ModelFiles.open(model)) {
      ModelConverter.toGguf(files, file, null, device.kernels(), (name, done, total) -> {});
      return List.of(Files.readAllBytes(file));
    } catch (InputException e) {
      return List.of();
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static final String MESSAGES =
      """
      [{"role":"system","content":"be brief"},{"role":"user","content":[{"type":"text","text":"a"}]},
       {"role":"assistant","content":null,"tool_calls":[{"function":{"name":"f","arguments":{"a":1.5}}}]}]
      """;

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private Path write(String name, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes);
  }

  private void safetensors(byte[] bytes) throws IOException {
    try (Safetensors file = Safetensors.open(write("a.safetensors", bytes))) {
      for (String name : file.tensors().keySet()) {
        var span = file.read(name);
        for (long i = 0; i < Math.min(1000, span.length()); i++) {
          span.get(i);
        }
      }
    }
  }

  private void gguf(byte[] bytes) throws IOException {
    Path file = write("a.gguf", bytes);
    model(file);
    chat(file);
  }

  private void tokenizer(byte[] bytes) throws IOException {
    use(TokenizerJson.read(write("tokenizer.json", bytes)));
  }

  private void messages(byte[] bytes) throws IOException {
    ChatMessage.read(write("messages.json", bytes)).forEach(ChatMessage::role);
  }

  private byte[] tokens() throws IOException {
    Tokenizer tokenizer =
        TokenizerJson.read(write("tokenizer.json", utf8(TextCorpus.tokenizers().getFirst())));
    Path text = write("text.txt", utf8("The hen sat under the tree. ".repeat(20)));
    Path out = folder.resolve("tokens.bin");
    TokenDataset.build(tokenizer, List.of(text), out);
    return Files.readAllBytes(out);
  }

  private void dataset(byte[] bytes) throws IOException {
    try (TokenDataset data = TokenDataset.open(write("tokens.bin", bytes))) {
      int[] some = new int[(int) Math.min(1000, data.size())];
      data.read(data.size() - some.length, some);
    }
  }

  private void inFolder(Path file, byte[] bytes, byte[] right) throws IOException {
    Files.write(file, bytes);
    try {
      model(file.getParent());
      GenerationConfig.eos(file.getParent(), 300);
      chat(file.getParent());
    } finally {
      Files.write(file, right);
    }
  }

  private static void chat(Path model) {
    Optional<ChatTemplate> template = ChatTemplate.ofModel(model);
    template.ifPresent(
        t -> t.render(List.of(ChatMessage.of("user", "the hen")), ChatOptions.DEFAULT));
  }

  private static void use(Tokenizer tokenizer) {
    int[] ids = tokenizer.encode(TEXT, new EncodeOptions(true, true));
    tokenizer.decode(ids);
    String part = HOSTILE.get(Math.floorMod(Arrays.hashCode(ids), HOSTILE.size()));
    String text = part.repeat(LONG / part.length());
    tokenizer.decode(tokenizer.encode(text, EncodeOptions.PLAIN));
  }

  /** Opens, tokenises, loads and computes; a model that became large is not loaded. */
  private void model(Path path) {
    try (ModelFiles files = ModelFiles.open(path)) {
      use(files.tokenizer());
      if (ModelMemory.of(files, Precision.F32).resident() > LARGE) {
        return;
      }
    }
    for (Precision precision : Precision.values()) {
      try (LanguageModel model = LanguageModel.load(path, precision, device);
          Workspace workspace = new Workspace()) {
        Ops ops = new Ops(device, workspace);
        Tensor ids = Tensor.ids(workspace, Shape.of(1, 2), new int[] {0, 3});
        int layers = model.config().decoder().layers();
        NoGrad.run(
            () ->
                model
                    .decoder()
                    .logits(ops, model.decoder().forward(ops, ids, layers, Decoder.Tap.NONE)));
      }
    }
  }
}
