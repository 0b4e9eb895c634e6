// All of Sortie with plain loops, one number at a time: java examples/MicroSortie.java
//
// A tape of numbers with gradients, a tiny decoder, AdamW, two ranks that share a batch, an exit that is tuned on the
// frozen decoder, and decoding that leaves at it with an exact KV cache. Each part names its fast twin in the project.
// A test holds the losses to the engine's.

static final int LAYERS = 2, WIDTH = 16, HEADS = 2, HEAD = WIDTH / HEADS, INNER = 32, WINDOW = 24, EXIT = 1;
static final double EPS = 1e-5, THETA = 10000;
static final String TEXT = "the fox ran over the hill. the hen sat by the tree. the fox sat by the hen. ";
static final String LETTERS = String.join("", new TreeSet<>(List.of(TEXT.split(""))));

// ---- Numbers with gradients. Twin: tensor/…/autograd: Op (the table of gradients), Ops (forward), Backward.
static final class Value {
  double data, grad;
  final Value[] in; // none: a parameter or a constant
  final double[] slope; // of this by each input
  Value(double data, Value[] in, double... slope) { this.data = data; this.in = in; this.slope = slope; }
  static Value leaf(double data) { return new Value(data, new Value[0]); }
}

/** What was computed, in order; its reverse is the order of gradients. */
static final class Tape {
  final List<Value> done = new ArrayList<>();
  Value node(double data, Value[] in, double... slope) {
    done.add(new Value(data, in, slope));
    return done.getLast();
  }
  Value add(Value a, Value b) { return node(a.data + b.data, new Value[] {a, b}, 1, 1); }
  Value mul(Value a, Value b) { return node(a.data * b.data, new Value[] {a, b}, b.data, a.data); }
  Value scale(Value a, double c) { return node(c * a.data, new Value[] {a}, c); }
  /** Σ a b: a row of a matrix product. */
  Value dot(Value[] a, Value[] b) {
    int n = a.length;
    Value[] in = Stream.concat(Arrays.stream(a), Arrays.stream(b)).toArray(Value[]::new);
    double[] slope = IntStream.range(0, 2 * n).mapToDouble(i -> in[(i + n) % (2 * n)].data).toArray();
    return node(IntStream.range(0, n).mapToDouble(i -> a[i].data * b[i].data).sum(), in, slope);
  }
  /** ln Σ e^x, whose slopes are the softmax. */
  Value logSumExp(Value[] x) {
    double max = Arrays.stream(x).mapToDouble(v -> v.data).max().orElseThrow();
    double lse = max + Math.log(Arrays.stream(x).mapToDouble(v -> Math.exp(v.data - max)).sum());
    return node(lse, x, Arrays.stream(x).mapToDouble(v -> Math.exp(v.data - lse)).toArray());
  }
  Value[] softmax(Value[] x) {
    Value lse = logSumExp(x);
    return map(x, v -> exp(v, lse));
  }
  private Value exp(Value v, Value lse) {
    double y = Math.exp(v.data - lse.data);
    return node(y, new Value[] {v, lse}, y, -y);
  }
  /** x / (1 + e^-x). */
  Value silu(Value x) {
    double s = 1 / (1 + Math.exp(-x.data));
    return node(x.data * s, new Value[] {x}, s * (1 + x.data * (1 - s)));
  }
  void backward(Value loss) {
    loss.grad = 1;
    for (Value v : done.reversed()) {
      for (int i = 0; i < v.in.length; i++) v.in[i].grad += v.slope[i] * v.grad;
    }
  }
}
static Value[] map(Value[] x, UnaryOperator<Value> f) { return Arrays.stream(x).map(f).toArray(Value[]::new); }
static Value[] zip(Value[] a, Value[] b, BinaryOperator<Value> f) {
  return IntStream.range(0, a.length).mapToObj(i -> f.apply(a[i], b[i])).toArray(Value[]::new);
}

// ---- The decoder: RMSNorm, rotary attention, SwiGLU, tied head. Twin: nn/…/model: Decoder, DecoderLayer.
/** Named matrices, each as its rows; a vector is one row. */
static class Weights extends LinkedHashMap<String, Value[][]> {
  Value[] row(String name, int i) { return get(name + ".weight")[i]; }
  Value[] times(Tape t, String name, Value[] x) {
    return Arrays.stream(get(name + ".weight")).map(row -> t.dot(row, x)).toArray(Value[]::new);
  }
  void add(String name, int rows, int columns, DoubleSupplier number) {
    Value[][] m = new Value[rows][columns];
    for (Value[] row : m) Arrays.setAll(row, i -> Value.leaf(number.getAsDouble()));
    put(name + ".weight", m);
  }
}

/** A decoder by the names of Llama's files. */
static Weights decoder(long seed) {
  Random random = new Random(seed);
  DoubleSupplier normal = () -> (float) (0.2 * random.nextGaussian());
  Weights w = new Weights();
  w.add("model.embed_tokens", LETTERS.length(), WIDTH, normal);
  for (int l = 0; l < LAYERS; l++) {
    String p = "model.layers." + l + ".";
    w.add(p + "input_layernorm", 1, WIDTH, () -> 1);
    for (String name : List.of("q", "k", "v", "o")) w.add(p + "self_attn." + name + "_proj", WIDTH, WIDTH, normal);
    w.add(p + "post_attention_layernorm", 1, WIDTH, () -> 1);
    for (String name : List.of("gate", "up")) w.add(p + "mlp." + name + "_proj", INNER, WIDTH, normal);
    w.add(p + "mlp.down_proj", WIDTH, INNER, normal);
  }
  w.add("model.norm", 1, WIDTH, () -> 1);
  return w;
}
static Value[] norm(Tape t, Value[] x, Value[] w) {
  Value squares = t.dot(x, x);
  double mean = squares.data / x.length + EPS;
  Value r = t.node(Math.pow(mean, -0.5), new Value[] {squares}, -0.5 * Math.pow(mean, -1.5) / x.length);
  return zip(map(x, v -> t.mul(v, r)), w, t::mul);
}

/** Turns each pair (i, i + D/2) of a head by position · θ^(-2i/D). */
static Value[] rotate(Tape t, Value[] head, int position) {
  Value[] y = new Value[HEAD];
  for (int i = 0; i < HEAD / 2; i++) {
    double angle = position * Math.pow(THETA, -2.0 * i / HEAD), cos = Math.cos(angle), sin = Math.sin(angle);
    Value[] pair = {head[i], head[i + HEAD / 2]};
    y[i] = t.node(pair[0].data * cos - pair[1].data * sin, pair, cos, -sin);
    y[i + HEAD / 2] = t.node(pair[1].data * cos + pair[0].data * sin, pair, sin, cos);
  }
  return y;
}

/** Keys and values of one layer, [position][head]. Twin: nn/…/KvCache. */
record Cache(List<Value[][]> keys, List<Value[][]> values) {
  static List<Cache> ofLayers() {
    return Stream.generate(() -> new Cache(new ArrayList<>(), new ArrayList<>())).limit(LAYERS).toList();
  }
}
static Value[][] heads(Value[] x) {
  return IntStream.range(0, HEADS).mapToObj(h -> Arrays.copyOfRange(x, h * HEAD, (h + 1) * HEAD)).toArray(Value[][]::new);
}

/** One token through one layer. */
static Value[] layer(Tape t, Weights w, int l, Value[] x, Cache cache) {
  String p = "model.layers." + l + ".";
  Value[] n = norm(t, x, w.row(p + "input_layernorm", 0));
  int position = cache.keys.size();
  Value[][] q = heads(w.times(t, p + "self_attn.q_proj", n)), k = heads(w.times(t, p + "self_attn.k_proj", n));
  cache.keys.add(Arrays.stream(k).map(head -> rotate(t, head, position)).toArray(Value[][]::new));
  cache.values.add(heads(w.times(t, p + "self_attn.v_proj", n)));
  Value[] mixed = IntStream.range(0, HEADS).boxed().flatMap(h -> {
    Value[] turned = rotate(t, q[h], position);
    Value[] share = t.softmax(cache.keys.stream()
        .map(key -> t.scale(t.dot(turned, key[h]), 1 / Math.sqrt(HEAD))).toArray(Value[]::new));
    return IntStream.range(0, HEAD).mapToObj(i ->
        t.dot(share, cache.values.stream().map(value -> value[h][i]).toArray(Value[]::new)));
  }).toArray(Value[]::new);
  Value[] a = zip(x, w.times(t, p + "self_attn.o_proj", mixed), t::add);
  Value[] m = norm(t, a, w.row(p + "post_attention_layernorm", 0));
  Value[] gate = map(w.times(t, p + "mlp.gate_proj", m), t::silu);
  return zip(a, w.times(t, p + "mlp.down_proj", zip(gate, w.times(t, p + "mlp.up_proj", m), t::mul)), t::add);
}
static Value[] layers(Tape t, Weights w, int from, int to, Value[] x, List<Cache> caches) {
  for (int l = from; l < to; l++) x = layer(t, w, l, x, caches.get(l));
  return x;
}
static Value[] finalLogits(Tape t, Weights w, Value[] x) {
  return w.times(t, "model.embed_tokens", norm(t, x, w.row("model.norm", 0)));
}

/** Mean cross-entropy of a window's tokens, nats per token. */
static Value loss(Tape t, int[] window, IntFunction<Value[]> logits) {
  Value sum = Value.leaf(0);
  for (int i = 0; i < WINDOW; i++) {
    Value[] z = logits.apply(window[i]);
    sum = t.add(sum, t.add(t.logSumExp(z), t.scale(z[window[i + 1]], -1)));
  }
  return t.scale(sum, 1.0 / WINDOW);
}
static int[] window(int n) {
  return IntStream.rangeClosed(0, WINDOW).map(i -> LETTERS.indexOf(TEXT.charAt((7 * n + i) % TEXT.length()))).toArray();
}

// ---- AdamW without decay. Twin: nn/…/optim/AdamW.
static final class Adam {
  final List<Value> parameters;
  final double[] m, v;
  int step;
  Adam(Weights w) {
    parameters = w.values().stream().flatMap(Arrays::stream).flatMap(Arrays::stream).toList();
    m = new double[parameters.size()];
    v = new double[parameters.size()];
  }
  void step(double rate) {
    step++;
    for (int i = 0; i < m.length; i++) {
      Value p = parameters.get(i);
      m[i] = 0.9 * m[i] + 0.1 * p.grad;
      v[i] = 0.95 * v[i] + 0.05 * p.grad * p.grad;
      double size = Math.sqrt(v[i] / (1 - Math.pow(0.95, step))) + 1e-5;
      p.data -= rate * m[i] / (1 - Math.pow(0.9, step)) / size;
      p.grad = 0;
    }
  }
}

// ---- Ranks. Twin: parallel/…/comm: Communicator, comm.algorithm. Their trainer: eetuning/…/train/pretrain.
/** Sums over all ranks, for all: each adds in the order of ranks, so that all get the same bits. */
record AllReduce(double[][] posted, CyclicBarrier barrier) {
  double[] sum(int rank, double[] mine) throws Exception {
    posted[rank] = mine;
    barrier.await();
    double[] sum = new double[mine.length];
    for (double[] part : posted) Arrays.setAll(sum, i -> sum[i] + part[i]);
    barrier.await(); // nobody posts anew before all have read
    return sum;
  }
}

/** Trains replicas, on a window each and the mean gradient of all; the mean losses of all steps. */
static double[] train(List<Weights> replicas, int steps, double rate) throws Exception {
  int ranks = replicas.size();
  AllReduce group = new AllReduce(new double[ranks][], new CyclicBarrier(ranks));
  try (ExecutorService threads = Executors.newFixedThreadPool(ranks)) {
    return threads.invokeAll(IntStream.range(0, ranks).<Callable<double[]>>mapToObj(rank ->
        () -> train(replicas.get(rank), rank, ranks, group, steps, rate)).toList()).getFirst().get();
  }
}
static double[] train(Weights w, int rank, int ranks, AllReduce group, int steps, double rate) throws Exception {
  Adam adam = new Adam(w);
  double[] losses = new double[steps];
  for (int step = 0; step < steps; step++) {
    Tape t = new Tape();
    List<Cache> caches = Cache.ofLayers();
    Value loss = loss(t, window(step * ranks + rank), token ->
        finalLogits(t, w, layers(t, w, 0, LAYERS, w.row("model.embed_tokens", token), caches)));
    t.backward(loss);
    DoubleStream gradients = adam.parameters.stream().mapToDouble(p -> p.grad);
    double[] sum = group.sum(rank, DoubleStream.concat(gradients, DoubleStream.of(loss.data)).toArray());
    for (int i = 0; i < sum.length - 1; i++) adam.parameters.get(i).grad = sum[i] / ranks;
    losses[step] = sum[sum.length - 1] / ranks;
    adam.step(rate);
  }
  return losses;
}

// ---- EE-Tuning: the exit learns, the decoder does not. Twin: eetuning/…/exit, train/tune/ExitTuner.
/** A norm and a head after layer EXIT, copies of the decoder's. */
static Weights exit(Weights w) {
  Weights exit = new Weights();
  Map.of("norm", "model.norm", "head", "model.embed_tokens").forEach((name, original) ->
      exit.put(name + ".weight",
          Arrays.stream(w.get(original + ".weight")).map(row -> constants(row)).toArray(Value[][]::new)));
  return exit;
}

/** The same numbers, through which no gradient flows. */
static Value[] constants(Value[] x) { return map(x, v -> Value.leaf(v.data)); }
static Value[] exitLogits(Tape t, Weights exit, Value[] x) { return exit.times(t, "head", norm(t, x, exit.row("norm", 0))); }
static double[] tune(Weights w, Weights exit, int steps, double rate) {
  Adam adam = new Adam(exit);
  return IntStream.range(0, steps).mapToDouble(step -> {
    Tape t = new Tape();
    List<Cache> caches = Cache.ofLayers();
    Value loss = loss(t, window(step), token -> exitLogits(t, exit,
        constants(layers(new Tape(), w, 0, EXIT, w.row("model.embed_tokens", token), caches))));
    t.backward(loss);
    adam.step(rate);
    return loss.data;
  }).toArray();
}

// ---- Decoding. Twin: eetuning/…/decode/pass/Descent, one engine for a text, a batch and a pipeline.
/**
 * Greedy text. A token that leaves at the exit waits there; when one goes deeper, those that wait go before it, so
 * that the deeper layers have the keys and values of all. early[0] counts those that left.
 */
static String decode(Weights w, Weights exit, String prompt, int count, double threshold, int[] early) {
  List<Cache> caches = Cache.ofLayers();
  Deque<Value[]> waiting = new ArrayDeque<>();
  StringBuilder text = new StringBuilder(prompt);
  for (int i = 0; text.length() < prompt.length() + count; i++) {
    Tape t = new Tape();
    Value[] x = w.row("model.embed_tokens", LETTERS.indexOf(text.charAt(i)));
    waiting.add(layers(t, w, 0, EXIT, x, caches));
    boolean last = i == text.length() - 1; // else a letter of the prompt
    Value[] scores = t.softmax(exitLogits(t, exit, waiting.getLast()));
    if (last && scores[best(scores)].data >= threshold) {
      early[0]++;
    } else {
      while (!waiting.isEmpty()) x = layers(t, w, EXIT, LAYERS, waiting.poll(), caches);
      scores = finalLogits(t, w, x);
    }
    if (last) text.append(LETTERS.charAt(best(scores)));
  }
  return text.toString();
}
static int best(Value[] x) { return IntStream.range(0, x.length).reduce(0, (a, b) -> x[b].data > x[a].data ? b : a); }

void main() throws Exception {
  List<Weights> replicas = List.of(decoder(1), decoder(1));
  double[] losses = train(replicas, 300, 0.01);
  IO.println("two ranks train: %.3f to %.3f nats per token".formatted(losses[0], losses[losses.length - 1]));
  Weights model = replicas.getFirst(), exit = exit(model);
  double[] tuned = tune(model, exit, 200, 0.01);
  IO.println("the exit after layer %d: %.3f to %.3f".formatted(EXIT, tuned[0], tuned[tuned.length - 1]));
  for (double threshold : new double[] {2, 0.9, 0.5}) {
    int[] early = new int[1];
    String text = decode(model, exit, "the ", 20, threshold, early);
    IO.println("threshold %.1f, %d of 20 tokens left early: %s".formatted(threshold, early[0], text));
  }
}
