package dev.sortie.nn.text.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.text.model.Vocabulary;
import it.unimi.dsi.fastutil.floats.FloatArrayList;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The fields of SentencePiece's {@code ModelProto} that say how text is cut. */
final class SentencePieceProto {
  static final int UNIGRAM = 1;
  static final int BPE = 2;

  private final String file;
  final List<String> pieces = new ArrayList<>();
  final FloatArrayList scores = new FloatArrayList();

  /** As {@link GgufTokenizer} numbers them. */
  final IntArrayList types = new IntArrayList();

  // The defaults of the format.
  int modelType = UNIGRAM;
  boolean byteFallback;
  boolean spaceIsSuffix;
  int bos = 1;
  int eos = 2;
  byte[] charsMap = {};
  boolean addDummyPrefix = true;
  boolean removeExtraSpaces = true;
  boolean escapeSpaces = true;

  private SentencePieceProto(String file) {
    this.file = file;
  }

  /**
   * Reads a file's bytes.
   *
   * @throws InputException if they are damaged
   */
  static SentencePieceProto read(String file, ByteBuffer bytes) {
    SentencePieceProto proto = new SentencePieceProto(file);
    ProtobufReader in = new ProtobufReader(file, bytes);
    for (int field; (field = in.next()) != 0; ) {
      switch (field) {
        case 1 -> proto.piece(in.message());
        case 2 -> proto.trainer(in.message());
        case 3 -> proto.normalizer(in.message());
        default -> in.skip();
      }
    }
    return proto;
  }

  private void piece(ProtobufReader in) {
    if (pieces.size() == Vocabulary.MAX_SIZE) {
      throw new InputException(file + ": more than " + pieces.size() + " pieces");
    }
    String piece = "";
    float score = 0;
    int type = GgufTokenizer.NORMAL;
    for (int field; (field = in.next()) != 0; ) {
      switch (field) {
        case 1 -> piece = in.text();
        case 2 -> score = in.float32();
        case 3 -> type = in.int32();
        default -> in.skip();
      }
    }
    String where = file + ": pieces[" + pieces.size() + "]";
    if (piece.isEmpty()) {
      throw new InputException(where + " is empty; a piece has a text");
    }
    if (type < GgufTokenizer.NORMAL || type > GgufTokenizer.BYTE) {
      throw new InputException(
          "%s %s has the type %d; supported: %d to %d"
              .formatted(
                  where, Printable.quoted(piece), type, GgufTokenizer.NORMAL, GgufTokenizer.BYTE));
    }
    if (!Float.isFinite(score)) {
      throw new InputException(
          "%s %s has the score %s; a score is finite"
              .formatted(where, Printable.quoted(piece), score));
    }
    pieces.add(piece);
    scores.add(score);
    types.add(type);
  }

  private void trainer(ProtobufReader in) {
    for (int field; (field = in.next()) != 0; ) {
      switch (field) {
        case 3 -> modelType = in.int32();
        case 24 -> spaceIsSuffix = in.bool();
        case 35 -> byteFallback = in.bool();
        case 41 -> bos = in.int32();
        case 42 -> eos = in.int32();
        default -> in.skip();
      }
    }
  }

  private void normalizer(ProtobufReader in) {
    for (int field; (field = in.next()) != 0; ) {
      switch (field) {
        case 2 -> {
          ByteBuffer map = in.bytes();
          charsMap = new byte[map.remaining()];
          map.get(charsMap);
        }
        case 3 -> addDummyPrefix = in.bool();
        case 4 -> removeExtraSpaces = in.bool();
        case 5 -> escapeSpaces = in.bool();
        default -> in.skip();
      }
    }
  }
}
