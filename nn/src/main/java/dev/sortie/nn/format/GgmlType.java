package dev.sortie.nn.format;

import dev.sortie.tensor.dtype.DType;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * The tensor types of GGUF files by the number they have there (the enum {@code ggml_type} of
 * ggml), with our type where we have one. The others are kept to be refused by name.
 */
enum GgmlType {
  F32(0, DType.F32),
  F16(1, DType.F16),
  Q4_0(2, DType.Q4_0),
  Q4_1(3, DType.Q4_1),
  Q4_2(4, null),
  Q4_3(5, null),
  Q5_0(6, DType.Q5_0),
  Q5_1(7, DType.Q5_1),
  Q8_0(8, DType.Q8_0),
  Q8_1(9, null),
  Q2_K(10, DType.Q2_K),
  Q3_K(11, DType.Q3_K),
  Q4_K(12, DType.Q4_K),
  Q5_K(13, DType.Q5_K),
  Q6_K(14, DType.Q6_K),
  Q8_K(15, null),
  IQ2_XXS(16, null),
  IQ2_XS(17, null),
  IQ3_XXS(18, null),
  IQ1_S(19, null),
  IQ4_NL(20, DType.IQ4_NL),
  IQ3_S(21, null),
  IQ2_S(22, null),
  IQ4_XS(23, DType.IQ4_XS),
  I8(24, null),
  I16(25, null),
  I32(26, DType.I32),
  I64(27, null),
  F64(28, DType.F64),
  IQ1_M(29, null),
  BF16(30, DType.BF16),
  Q4_0_4_4(31, null),
  Q4_0_4_8(32, null),
  Q4_0_8_8(33, null),
  TQ1_0(34, null),
  TQ2_0(35, null),
  IQ4_NL_4_4(36, null),
  IQ4_NL_4_8(37, null),
  IQ4_NL_8_8(38, null),
  MXFP4(39, null),
  NVFP4(40, null);

  private final int number;
  private final DType dtype;

  GgmlType(int number, DType dtype) {
    this.number = number;
    this.dtype = dtype;
  }

  /** The number in the file. */
  int number() {
    return number;
  }

  /** Our type, or null. */
  DType dtype() {
    return dtype;
  }

  /** The type of this number, or null if ggml never had one. */
  static GgmlType of(int number) {
    return Arrays.stream(values()).filter(t -> t.number == number).findFirst().orElse(null);
  }

  /** The type that stands for ours; GGUF has one for each. */
  static GgmlType of(DType dtype) {
    return Arrays.stream(values()).filter(t -> t.dtype == dtype).findFirst().orElseThrow();
  }

  /** The types that can be read, for messages. */
  static String supported() {
    List<DType> types =
        Arrays.stream(values()).map(GgmlType::dtype).filter(Objects::nonNull).toList();
    return types.stream().map(DType::name).collect(Collectors.joining(", "));
  }
}
