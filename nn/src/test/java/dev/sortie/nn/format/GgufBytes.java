package dev.sortie.nn.format;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A GGUF file from its parts, right or wrong. */
final class GgufBytes {
  static final int U8 = 0;
  static final int U32 = 4;
  static final int BOOL = 7;
  static final int STRING = 8;
  static final int ARRAY = 9;
  static final int U64 = 10;
  static final int F32 = 0;
  static final int Q8_0 = 8;

  byte[] magic = "GGUF".getBytes(StandardCharsets.US_ASCII);
  int version = 3;

  /** Counts in the header; null for those of the lists. */
  Long tensorCount;

  Long pairCount;
  final List<byte[]> pairs = new ArrayList<>();
  final List<byte[]> tensors = new ArrayList<>();
  int alignment = 32;
  byte[] data = new byte[0];

  /** A small valid file: values of all kinds, two tensors with padding between and after. */
  static GgufBytes valid() {
    GgufBytes out = new GgufBytes();
    out.pairs.add(pair("general.architecture", STRING, string("llama")));
    out.pairs.add(pair("general.alignment", U32, u32(32)));
    out.pairs.add(pair("flag", BOOL, new byte[] {1}));
    out.pairs.add(pair("size", U64, u64(1L << 40)));
    out.pairs.add(pair("words", ARRAY, list(STRING, string("a"), string("é"), string(""))));
    out.pairs.add(pair("flags", ARRAY, list(BOOL, new byte[] {1}, new byte[] {0})));
    out.tensors.add(tensor("a", F32, 0, 3, 1));
    out.tensors.add(tensor("b", Q8_0, 32, 32, 2));
    out.data = new byte[128];
    for (int i = 0; i < 12; i++) {
      out.data[i] = (byte) i;
    }
    for (int i = 32; i < 100; i++) {
      out.data[i] = (byte) (i % 31);
    }
    return out;
  }

  /** The valid file with one thing changed. */
  static byte[] with(Consumer<GgufBytes> change) {
    GgufBytes bytes = valid();
    change.accept(bytes);
    return bytes.build();
  }

  byte[] build() {
    byte[] head =
        cat(
            magic,
            u32(version),
            u64(tensorCount == null ? tensors.size() : tensorCount),
            u64(pairCount == null ? pairs.size() : pairCount),
            cat(pairs.toArray(byte[][]::new)),
            cat(tensors.toArray(byte[][]::new)));
    return cat(head, new byte[Math.floorMod(-head.length, alignment)], data);
  }

  /** Bytes before the data. */
  int headerLength() {
    return build().length - data.length;
  }

  static byte[] pair(String key, int type, byte[] value) {
    return cat(string(key), u32(type), value);
  }

  static byte[] list(int type, byte[]... elements) {
    return list(type, elements.length, elements);
  }

  static byte[] list(int type, long count, byte[]... elements) {
    return cat(u32(type), u64(count), cat(elements));
  }

  static byte[] tensor(String name, int type, long offset, long... dims) {
    return tensor(string(name), dims.length, type, offset, dims);
  }

  static byte[] tensor(byte[] name, int rank, int type, long offset, long... dims) {
    byte[] out = cat(name, u32(rank));
    for (long dim : dims) {
      out = cat(out, u64(dim));
    }
    return cat(out, u32(type), u64(offset));
  }

  static byte[] string(String text) {
    return string(text.getBytes(StandardCharsets.UTF_8));
  }

  static byte[] string(byte[] utf8) {
    return cat(u64(utf8.length), utf8);
  }

  static byte[] u32(int value) {
    return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  static byte[] u64(long value) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
  }

  static byte[] cat(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }
}
