package dev.sortie.eetuning.decode.tool;

import java.util.List;

/** Finds calls of functions in an answer as it grows. */
public interface CallReader {

  /** More of the answer; what is certain comes back. */
  List<ToolPiece> add(String more);

  /** The answer has ended; the rest of it. */
  List<ToolPiece> finish();
}
