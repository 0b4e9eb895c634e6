package dev.sortie.eetuning.plot;

import java.util.List;
import java.util.Locale;

/**
 * Colours of keys that have an order: from light amber (shallow) over teal and blue to dark indigo
 * (deep). Lightness falls all along, so that the order shows in every kind of colour blindness and
 * in grey. For the third of the keys, class {@code s2} strokes, {@code f2} fills, {@code o2} writes
 * on such a fill, and {@code t2} is a chip of text.
 */
public final class Palette {
  private static final int[] LIGHT = {0xE3A32F, 0x3C9F8B, 0x2F6DAE, 0x37296F};
  private static final int[] DARK = {0xFFD67E, 0x6CCDB1, 0x4B8FD4, 0x6F5FCB};

  private final List<String> keys;

  /** Colours for these keys, shallow first. */
  public Palette(List<String> keys) {
    this.keys = List.copyOf(keys);
  }

  public List<String> keys() {
    return keys;
  }

  public int index(String key) {
    int index = keys.indexOf(key);
    if (index < 0) {
      throw new IllegalArgumentException("no colour for " + key + ", colours are for " + keys);
    }
    return index;
  }

  /** The rules for both colour schemes. */
  public String css() {
    return rules(LIGHT) + "@media (prefers-color-scheme: dark) {\n" + rules(DARK) + "}\n";
  }

  private String rules(int[] ramp) {
    StringBuilder css = new StringBuilder();
    for (int i = 0; i < keys.size(); i++) {
      int colour = between(ramp, keys.size() == 1 ? 1 : i / (keys.size() - 1.0));
      String hex = String.format(Locale.ROOT, "#%06x", colour);
      String on = luminance(colour) > 0.22 ? "#111" : "#fff";
      css.append(
"""
.plot .s%1$s{stroke:%2$s}
.plot .f%1$s{fill:%2$s}
.plot .o%1$s{fill:%3$s}
.t%1$s{background:%2$s;color:%3$s}
"""
              .formatted(i, hex, on));
    }
    return css.toString();
  }

  private static int between(int[] ramp, double position) {
    double scaled = position * (ramp.length - 1);
    int left = Math.min((int) scaled, ramp.length - 2);
    int colour = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
      int a = ramp[left] >> shift & 0xFF;
      int b = ramp[left + 1] >> shift & 0xFF;
      colour |= (int) Math.round(a + (b - a) * (scaled - left)) << shift;
    }
    return colour;
  }

  /** Relative luminance of WCAG 2, 0 to 1. */
  private static double luminance(int colour) {
    return 0.2126 * linear(colour >> 16) + 0.7152 * linear(colour >> 8) + 0.0722 * linear(colour);
  }

  private static double linear(int channel) {
    double c = (channel & 0xFF) / 255.0;
    return c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
  }
}
