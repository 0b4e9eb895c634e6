package dev.sortie.tests;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.text.BpeTrainer;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.format.TokenizerJson;
import dev.sortie.nn.text.format.TokenizerJsonWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Each part of a tokenizer.json does what it does in Hugging Face's tokenizers. */
@Tag("slow")
class TokenizerPartsParityTest {
  private static final int TEXTS = 400;

  static final List<String> NORMALIZERS =
      List.of(
          "null",
          "{'type':'NFC'}",
          "{'type':'NFD'}",
          "{'type':'NFKC'}",
          "{'type':'NFKD'}",
          "{'type':'Lowercase'}",
          "{'type':'Strip','strip_left':true,'strip_right':true}",
          "{'type':'Strip','strip_left':false,'strip_right':true}",
          "{'type':'Sequence','normalizers':[{'type':'NFD'},{'type':'StripAccents'}]}",
          "{'type':'Replace','pattern':{'String':'th'},'content':'TH'}",
          "{'type':'Replace','pattern':{'Regex':' {2,}'},'content':' '}",
          "{'type':'Sequence','normalizers':[{'type':'Prepend','prepend':'▁'},{'type':'Replace','pattern':{'String':' '},'content':'▁'}]}");

  static final List<String> PRE_TOKENIZERS =
      List.of(
          "null",
          "{'type':'Metaspace','replacement':'▁','prepend_scheme':'always','split':true}",
          "{'type':'Metaspace','replacement':'▁','prepend_scheme':'first','split':true}",
          "{'type':'Metaspace','replacement':'▁','prepend_scheme':'never','split':false}",
          "{'type':'Whitespace'}",
          "{'type':'WhitespaceSplit'}",
          "{'type':'CharDelimiterSplit','delimiter':' '}",
          "{'type':'Digits','individual_digits':false}",
          "{'type':'Digits','individual_digits':true}",
          "{'type':'Punctuation','behavior':'Isolated'}",
          "{'type':'Punctuation','behavior':'Removed'}",
          "{'type':'Punctuation','behavior':'Contiguous'}",
          "{'type':'Punctuation','behavior':'MergedWithNext'}",
          "{'type':'Punctuation','behavior':'MergedWithPrevious'}",
          "{'type':'Split','pattern':{'String':' '},'behavior':'Removed','invert':false}",
          "{'type':'Split','pattern':{'String':' '},'behavior':'Removed','invert':true}",
          "{'type':'Split','pattern':{'String':' '},'behavior':'Isolated','invert':false}",
          "{'type':'Split','pattern':{'String':'aa'},'behavior':'Contiguous','invert':false}",
          "{'type':'Split','pattern':{'String':' '},'behavior':'MergedWithPrevious','invert':false}",
          "{'type':'Split','pattern':{'String':' '},'behavior':'MergedWithNext','invert':false}",
          "{'type':'Split','pattern':{'String':' '},'behavior':'MergedWithNext','invert':true}",
          "{'type':'Sequence','pretokenizers':[{'type':'Punctuation'},{'type':'WhitespaceSplit'},{'type':'Digits','individual_digits':true}]}");

  // Strip has stop 0 only: the reference panics where it would take off more than there is.
  static final List<String> DECODERS =
      List.of(
          "{'type':'Metaspace','replacement':'▁','prepend_scheme':'always','split':true}",
          "{'type':'Metaspace','replacement':'▁','prepend_scheme':'never','split':true}",
          "{'type':'ByteFallback'}",
          "{'type':'Fuse'}",
          "{'type':'Replace','pattern':{'String':'e'},'content':'E!'}",
          "{'type':'Strip','content':'▁','start':1,'stop':0}",
          "{'type':'Sequence','decoders':[{'type':'Strip','content':'▁','start':1,'stop':0},{'type':'ByteFallback'}]}",
          "{'type':'Sequence','decoders':[{'type':'Replace','pattern':{'String':'▁'},'content':' '},{'type':'ByteFallback'},{'type':'Fuse'},{'type':'Strip','content':' ','start':2,'stop':0}]}",
          "{'type':'Sequence','decoders':[{'type':'ByteFallback'},{'type':'Fuse'},{'type':'Replace','pattern':{'String':'▁▁'},'content':'__'}]}",
          "{'type':'Sequence','decoders':[{'type':'Metaspace','replacement':'▁','prepend_scheme':'first','split':true},{'type':'ByteFallback'},{'type':'Fuse'}]}");

  static final List<String> ADDED =
      List.of(
          "'single_word':false,'lstrip':false,'rstrip':false,'normalized':false,'special':true",
          "'single_word':true,'lstrip':false,'rstrip':false,'normalized':false,'special':true",
          "'single_word':false,'lstrip':true,'rstrip':false,'normalized':false,'special':false",
          "'single_word':false,'lstrip':false,'rstrip':true,'normalized':false,'special':true",
          "'single_word':true,'lstrip':true,'rstrip':true,'normalized':true,'special':false",
          "'single_word':false,'lstrip':true,'rstrip':true,'normalized':true,'special':true");

  @TempDir Path folder;

  @ParameterizedTest
  @FieldSource("NORMALIZERS")
  void normalizer(String part) throws IOException {
    compare(unigram(true, ADDED.getFirst()).replace("'normalizer':null", "'normalizer':" + part));
  }

  @ParameterizedTest
  @FieldSource("PRE_TOKENIZERS")
  void preTokenizer(String part) throws IOException {
    compare(
        unigram(false, ADDED.getFirst())
            .replace("'pre_tokenizer':null", "'pre_tokenizer':" + part));
  }

  @ParameterizedTest
  @FieldSource("DECODERS")
  void decoder(String part) throws IOException {
    compare(
        unigram(true, ADDED.getFirst()).replace("'decoder':{'type':'Fuse'}", "'decoder':" + part));
  }

  @ParameterizedTest
  @FieldSource("ADDED")
  void addedToken(String part) throws IOException {
    String pre = "'pre_tokenizer':" + PRE_TOKENIZERS.get(1);
    String lower = "'normalizer':{'type':'Lowercase'}";
    compare(
        unigram(true, part)
            .replace("'pre_tokenizer':null", pre)
            .replace("'normalizer':null", lower));
  }

  @ParameterizedTest
  @FieldSource("PRE_TOKENIZERS")
  void preTokenizerBeforeBytes(String part) throws IOException {
    Path file = folder.resolve("tokenizer.json");
    SubwordTokenizer trained =
        new BpeTrainer(new BpeTrainer.Options(700, List.of("<|end|>"), false, 2))
            .add(String.join(" ", new NastyText(3, List.of("<|end|>")).texts(300)))
            .train();
    TokenizerJsonWriter.write(trained, file);
    String level =
        "{'type':'ByteLevel','add_prefix_space':false,'trim_offsets':true,'use_regex':%s}";
    String both =
        "{'type':'Sequence','pretokenizers':[" + part + "," + level.formatted(false) + "]}";
    String pre = part.equals("null") ? level.formatted(true) : both;
    String json = Files.readString(file);
    int at = json.indexOf("\"pre_tokenizer\"");
    int end = json.indexOf("\"post_processor\"");
    compare(json.substring(0, at) + "'pre_tokenizer':" + pre + "," + json.substring(end), false);
  }

  private void compare(String json) throws IOException {
    compare(json, true);
  }

  private void compare(String json, boolean quotes) throws IOException {
    Path file = folder.resolve("parts.json");
    Files.writeString(file, quotes ? json.replace('\'', '"') : requoted(json));
    SubwordTokenizer ours = TokenizerJson.read(file);
    try (ReferenceTokenizer reference = ReferenceTokenizer.read(file)) {
      reference.assertSame(
          ours, new NastyText(json.hashCode(), List.of("[T]", "</s>")).texts(TEXTS));
    }
    Path again = folder.resolve("again.json");
    TokenizerJsonWriter.write(ours, again);
    try (ReferenceTokenizer reference = ReferenceTokenizer.read(again)) {
      reference.assertSame(ours, new NastyText(5, List.of("[T]", "</s>")).texts(50));
    }
  }

  /** Our own part has apostrophes for quotation marks; the vocabulary may have real ones. */
  private static String requoted(String json) {
    int at = json.indexOf("'pre_tokenizer'");
    int end = json.indexOf("\"post_processor\"");
    return json.substring(0, at) + json.substring(at, end).replace('\'', '"') + json.substring(end);
  }

  /** A model of type Unigram whose pieces are stretches of text; the apostrophe is none of them. */
  private static String unigram(boolean byteFallback, String added) {
    Random random = new Random(7);
    TreeSet<String> pieces = new TreeSet<>();
    for (String text : new NastyText(9, List.of("[T]")).texts(400)) {
      int[] all = text.replace(' ', '▁').codePoints().filter(c -> c != '\'' && c != 0).toArray();
      for (int i = 0; i < all.length; i += 3) {
        pieces.add(new String(all, i, 1 + random.nextInt(Math.min(4, all.length - i))));
      }
    }
    pieces.add("▁");
    pieces.removeIf(
        p ->
            p.isEmpty()
                || p.startsWith("<0x")
                || p.equals("[T]")
                || p.equals("</s>")
                || p.equals("<unk>"));
    String scored =
        pieces.stream()
            .map(p -> ",[" + Json.compact(p) + "," + (-1 - random.nextInt(1000) / 64.0) + "]")
            .collect(Collectors.joining());
    String bytes =
        IntStream.range(0, 256)
            .mapToObj(",['<0x%02X>',0]"::formatted)
            .collect(Collectors.joining());
    int id = pieces.size() + 257;
    return """
        {'version':'1.0','truncation':null,'padding':null,
        'added_tokens':[{'id':%d,'content':'[T]',%s},{'id':%d,'content':'</s>',%s}],
        'normalizer':null,'pre_tokenizer':null,'post_processor':null,'decoder':{'type':'Fuse'},
        'model':{'type':'Unigram','unk_id':0,'byte_fallback':%s,'vocab':[['<unk>',0]%s%s]}}
        """
        .formatted(id, added, id + 1, added, byteFallback, bytes, scored);
  }
}
