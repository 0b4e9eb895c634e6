package dev.sortie.tests;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/** Texts that tokenizers get wrong, from a seed. All are well-formed. */
final class NastyText {
  /**
   * Characters that came, or whose class changed, after Unicode 8: the reference knows some
   * properties as they were then.
   */
  private static final Set<Integer> TOO_NEW =
      Set.of(
          0x61D, 0x9FD, 0x9FE, 0xA76, 0xAFA, 0xAFB, 0xAFC, 0xAFD, 0xAFE, 0xAFF, 0xB55, 0xC04, 0xC3C,
          0xC77, 0xC84, 0xCF3, 0xD00, 0xD3B, 0xD3C, 0xD81, 0xEBA, 0xECE, 0x166D);

  /** First and last code points of blocks of many scripts. */
  private static final int[][] SCRIPTS = {
    {0x20, 0x7E},
    {0xA0, 0xFF},
    {0x100, 0x24F},
    {0x250, 0x2FF},
    {0x370, 0x3FF},
    {0x400, 0x52F},
    {0x531, 0x58F},
    {0x591, 0x5F4},
    {0x600, 0x6FF},
    {0x700, 0x74F},
    {0x780, 0x7B1},
    {0x900, 0x97F},
    {0x981, 0x9FE},
    {0xA01, 0xA76},
    {0xA81, 0xAFF},
    {0xB01, 0xB77},
    {0xB82, 0xBFA},
    {0xC00, 0xC7F},
    {0xC80, 0xCF2},
    {0xD00, 0xD7F},
    {0xD81, 0xDF4},
    {0xE01, 0xE5B},
    {0xE81, 0xEDF},
    {0xF00, 0xFDA},
    {0x1000, 0x109F},
    {0x10A0, 0x10FF},
    {0x1100, 0x11FF},
    {0x1200, 0x137C},
    {0x13A0, 0x13FD},
    {0x1400, 0x167F},
    {0x16A0, 0x16F8},
    {0x1780, 0x17F9},
    {0x1820, 0x18AA},
    {0x1E00, 0x1EFF},
    {0x1F00, 0x1FFE},
    {0x2000, 0x206F},
    {0x2070, 0x209C},
    {0x20A0, 0x20BF},
    {0x2100, 0x218B},
    {0x2190, 0x23FF},
    {0x2460, 0x24FF},
    {0x2500, 0x27BF},
    {0x2E80, 0x2FD5},
    {0x3000, 0x303F},
    {0x3041, 0x30FF},
    {0x3105, 0x318E},
    {0x3200, 0x33FF},
    {0x4E00, 0x9FEF},
    {0xAC00, 0xD7A3},
    {0xE000, 0xF8FF},
    {0xF900, 0xFAD9},
    {0xFB00, 0xFDFB},
    {0xFE00, 0xFE0F},
    {0xFE20, 0xFE6B},
    {0xFF01, 0xFFEE},
    {0x10400, 0x1044F},
    {0x1D400, 0x1D7FF},
    {0x1F000, 0x1F9FF},
    {0x20000, 0x2A6D6},
    {0x2F800, 0x2FA1D},
    {0xE0001, 0xE007F}
  };

  private static final String SPACES =
      "     \t\n\r\u000B\f\u0085\u00A0\u1680\u2002\u2003\u2009\u200A\u2028\u2029\u202F\u205F\u3000";
  private static final String CONTROLS =
      "\u0000\u0001\u0007\b\u001B\u001F\u007F\u0080\u009F\u00AD\u200B\u200C\u200D\u200E\u200F"
          + "\u202A\u202B\u202C\u202D\u202E\u2060\u2066\u2067\u2069\uFEFF\uFFF9\uFFFD\uFFFE\uFFFF";
  private static final String MARKS =
      "\u0300\u0301\u0308\u0316\u0323\u0327\u0328\u0334\u0338\u0345\u0360\u05B0\u064B\u093C\u094D"
          + "\u0E31\u0F71\u0F72\u1DC4\u20D0\u20DD\u3099\u309A\uFE20";
  private static final List<String> EMOJI =
      List.of(
          "😀",
          "👩‍👩‍👧‍👦",
          "👨🏽‍💻",
          "🏳️‍🌈",
          "🇩🇪",
          "🇫🇷🇯",
          "1️⃣",
          "#️⃣",
          "❤️‍🔥",
          "🧑🏿‍🤝‍🧑🏻",
          "☺️",
          "☺︎",
          "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
          "👍🏼",
          "‍",
          "️",
          "🫱🏽‍🫲🏿");
  private static final List<String> WORDS =
      List.of(
          "the",
          "The",
          "THE",
          "Hello",
          "world",
          "don't",
          "I'LL",
          "we'Ve",
          "'s",
          "'S",
          "it'ſ",
          "O'Reilly",
          "rock'n'roll",
          "camelCase",
          "HTTPServer",
          "XMLHttpRequest",
          "snake_case",
          "ǅungla",
          "straße",
          "İstanbul",
          "ΣΊΣΥΦΟΣ",
          "naïve",
          "e\u0301te\u0301",
          "ﬁn",
          "x²",
          "½",
          "Ⅷ",
          "٣٤٥",
          "१२३",
          "3.14159",
          "1,234,567",
          "0x1F",
          "1e-9",
          "12345678901",
          "https://example.org/a?b=c#d",
          "a@b.co",
          "C:\\dir",
          "def f(x):\n    return x",
          "{\"k\": [1, null]}",
          "<b>bold</b>",
          "&amp;",
          "//",
          "/*",
          "---",
          "...",
          "!!!",
          "¿Qué?",
          "日本語",
          "こんにちは",
          "안녕하세요",
          "你好，世界",
          "مرحبا",
          "שלום",
          "हिन्दी",
          "ไทย",
          "Привет",
          "ქართული",
          "▁",
          "▁▁",
          "Ġ",
          "Ċ",
          "<0x41>",
          "<0xE2>",
          "<0xFF>",
          "<s>",
          "</s>",
          "<unk>",
          "[INST]",
          "[/INST]",
          "<|im_start|",
          "|im_end|>",
          "<|",
          "|>",
          "<bos",
          "\u01C5",
          "ʰʲ",
          "ªº");

  private final Random random;
  private final List<String> specials;

  /** Texts that also spell the tokens in {@code specials}. */
  NastyText(long seed, List<String> specials) {
    random = new Random(seed);
    this.specials = specials.isEmpty() ? WORDS : specials;
  }

  /** The next {@code count} texts. */
  List<String> texts(int count) {
    List<String> texts =
        new ArrayList<>(List.of("", " ", "\n", "a", "\u0000", "  ", "▁", "\u0301"));
    while (texts.size() < count) {
      texts.add(text());
    }
    return texts;
  }

  private String text() {
    int pieces = 1 + random.nextInt(12);
    StringBuilder text = new StringBuilder();
    int mood = random.nextInt(14);
    for (int i = 0; i < pieces; i++) {
      text.append(piece(mood < 11 && random.nextInt(5) > 0 ? mood : random.nextInt(11)));
    }
    return text.toString();
  }

  private String piece(int kind) {
    return switch (kind) {
      case 0 -> script();
      case 1 -> characters(SPACES, 6);
      case 2 -> characters(CONTROLS, 3);
      case 3 -> one(WORDS) + characters(MARKS, 4);
      case 4 -> one(EMOJI).repeat(1 + random.nextInt(2));
      case 5 -> (random.nextBoolean() ? " " : "") + one(WORDS) + (random.nextBoolean() ? " " : "");
      case 6 -> special();
      case 7 -> garbage();
      case 8 -> number();
      case 9 -> cased();
      default -> any();
    };
  }

  /** A few characters of one script. */
  private String script() {
    int[] block = SCRIPTS[random.nextInt(SCRIPTS.length)];
    StringBuilder text = new StringBuilder();
    for (int n = 1 + random.nextInt(8); n > 0; n--) {
      text.append(random.nextInt(6) == 0 ? " " : of(block));
    }
    return text.toString();
  }

  private String of(int[] block) {
    int c = block[0] + random.nextInt(block[1] - block[0] + 1);
    return Character.isDefined(c) && !TOO_NEW.contains(c) ? Character.toString(c) : " ";
  }

  /** A special token, whole, cut short, doubled or with spaces round it. */
  private String special() {
    String token = one(specials);
    return switch (random.nextInt(6)) {
      case 0 ->
          token.substring(
              0, token.offsetByCodePoints(0, token.codePointCount(0, token.length()) / 2));
      case 1 -> token + token;
      case 2 -> " " + token + "  ";
      case 3 -> "x" + token + "y";
      case 4 -> token + "\n" + token;
      default -> token;
    };
  }

  /** Random bytes, many of them no UTF-8, decoded as it is usual. */
  private String garbage() {
    byte[] bytes = new byte[1 + random.nextInt(8)];
    random.nextBytes(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private String number() {
    int[] zeros = {'0', '0', '0', 0x660, 0x6F0, 0x966, 0xE50, 0xFF10, 0x1D7CE};
    int zero = zeros[random.nextInt(zeros.length)];
    return random
        .ints(1 + random.nextInt(9), 0, 10)
        .mapToObj(d -> Character.toString(zero + d))
        .collect(Collectors.joining());
  }

  /** Letters with and without case, marks and apostrophes in any order. */
  private String cased() {
    return characters("aZbYéÉßǅʰªم漢\u0301\u0345'sSſ'tllRE", 8);
  }

  /** Characters of any scripts. */
  private String any() {
    StringBuilder text = new StringBuilder();
    for (int n = 1 + random.nextInt(4); n > 0; n--) {
      text.append(of(SCRIPTS[random.nextInt(SCRIPTS.length)]));
    }
    return text.toString();
  }

  private String characters(String from, int most) {
    StringBuilder text = new StringBuilder();
    int[] all = from.codePoints().toArray();
    for (int n = 1 + random.nextInt(most); n > 0; n--) {
      text.appendCodePoint(all[random.nextInt(all.length)]);
    }
    return text.toString();
  }

  private String one(List<String> list) {
    return list.get(random.nextInt(list.size()));
  }
}
