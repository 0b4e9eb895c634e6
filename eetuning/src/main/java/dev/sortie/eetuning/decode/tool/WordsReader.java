package dev.sortie.eetuning.decode.tool;

import java.util.List;

/** Reads an answer of a model that may call nothing: all of it is words. */
public record WordsReader() implements CallReader {
  @Override
  public List<ToolPiece> add(String more) {
    return more.isEmpty() ? List.of() : List.of(new ToolPiece.Text(more));
  }

  @Override
  public List<ToolPiece> finish() {
    return List.of();
  }
}
