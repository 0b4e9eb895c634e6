// Does the zero token say when to leave? ./sortie java examples/ZeroShare.java MODEL EXITS TEXT
//
// For each exit between the cycles of a model made by pretrain --cycles: the mean share of the softmax that the zero
// tokens of the cycle before it draw, over heads and layers, where the exit chooses the final layer's token and where
// it does not; and how well that share, and the exit's largest probability, tell the two apart (area under the ROC
// curve: 0.5 is chance). A TEXT that ends in .jsonl has a document in the field text of each line.

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.LayerCycle;
import dev.sortie.nn.text.TrainingText;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;

/** One token at one exit. */
record Reading(double share, double confidence, boolean agrees) {}

void main(String[] args) throws Exception {
  if (args.length != 3) {
    System.err.println("usage: ./sortie java examples/ZeroShare.java MODEL EXITS TEXT");
    System.exit(2);
  }
  if (!Files.isRegularFile(Path.of(args[2]))) {
    System.err.println("sortie: " + args[2] + " is not a file; give a text to read");
    System.exit(1);
  }
  Map<Integer, List<Reading>> readings = new TreeMap<>();
  try (Device device = Device.cpu(1);
      NativeArena arena = new NativeArena("exits");
      Workspace workspace = new Workspace();
      LanguageModel model = LanguageModel.load(Path.of(args[0]), Precision.F32, device)) {
    Exits exits = ExitsReader.of(model).read(Path.of(args[1]), arena, device.kernels());
    int context = model.config().decoder().context();
    Ops ops = new Ops(device, workspace);
    for (String document : TrainingText.documents(Path.of(args[2]))) {
      int[] ids = model.tokenizer().encode(document);
      for (int from = 0; from + 1 < ids.length; from += context) {
        int[] window = Arrays.copyOfRange(ids, from, Math.min(ids.length, from + context));
        NoGrad.run(() -> read(ops, model.decoder(), exits, window, readings));
        workspace.reset();
      }
    }
  }
  IO.println("exit  agreement  share where it agrees  and differs  AUC of share  AUC of confidence");
  readings.forEach(
      (depth, all) ->
          IO.println(
              "%4d  %9.3f  %21.3f  %11.3f  %12.3f  %17.3f"
                  .formatted(
                      depth,
                      all.stream().mapToInt(r -> r.agrees ? 1 : 0).average().orElseThrow(),
                      mean(all, true),
                      mean(all, false),
                      area(all, Reading::share),
                      area(all, Reading::confidence))));
}

/** The readings of one window. */
void read(Ops ops, Decoder decoder, Exits exits, int[] ids, Map<Integer, List<Reading>> readings) {
  int layers = decoder.config().layers();
  LayerCycle cycle = decoder.config().switches().cycle();
  Tensor[] states = new Tensor[layers + 1];
  Tensor[] residuals = new Tensor[layers + 1];
  Tensor in = Tensor.ids(ops.workspace(), Shape.of(1, ids.length), ids);
  decoder.forward(
      ops,
      in,
      layers,
      (depth, a, x) -> {
        states[depth] = x;
        residuals[depth] = a;
      });
  int[] chosen = TopTokens.of(ops, decoder.logits(ops, states[layers])).ids();
  for (Exit e : exits.exits()) {
    if (e.depth() < 2 || !cycle.inBlock(e.depth() - 1, layers)) {
      continue;
    }
    double[] share = new double[ids.length];
    int first = Math.max(1, e.depth() - cycle.block(layers)); // layers of the cycle before the exit
    for (int i = first; i < e.depth(); i++) {
      Tensor s = decoder.layers().get(i).zeroShare(ops, states[i], decoder.rope()).orElseThrow();
      float[] each = s.toFloats();
      for (int j = 0; j < each.length; j++) {
        share[j * ids.length / each.length] += each[j] * ids.length / each.length / (e.depth() - first);
      }
    }
    TopTokens top = TopTokens.of(ops, e.logits(ops, states[e.depth()], residuals[e.depth()]));
    int[] best = top.ids();
    for (int t = 0; t < ids.length; t++) {
      readings
          .computeIfAbsent(e.depth(), _ -> new ArrayList<>())
          .add(new Reading(share[t], top.probability(t), best[t] == chosen[t]));
    }
  }
}

double mean(List<Reading> all, boolean agrees) {
  return all.stream().filter(r -> r.agrees == agrees).mapToDouble(Reading::share).average().orElse(Double.NaN);
}

/** How often a token where the exit agrees has more of something than one where it differs. */
double area(List<Reading> all, ToDoubleFunction<Reading> of) {
  List<Reading> sorted = all.stream().sorted(Comparator.comparingDouble(of)).toList();
  double below = 0;
  double wins = 0;
  for (Reading r : sorted) {
    below += r.agrees ? 0 : 1;
    wins += r.agrees ? below : 0;
  }
  return wins / (below * (all.size() - below));
}
