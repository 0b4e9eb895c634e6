package dev.sortie.eetuning.train;

import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Options as they are written into checkpoints, by name. */
public final class Descriptions {
  private Descriptions() {}

  public static Map<String, Object> of(Schedule s) {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("steps", s.steps());
    m.put("lr", s.peak());
    m.put("min_lr", s.floor());
    m.put("warmup", s.warmup());
    m.put("decay", s.decay().name().toLowerCase(Locale.ROOT));
    return m;
  }

  public static Map<String, Object> of(AdamW.Options o) {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("beta1", o.beta1());
    m.put("beta2", o.beta2());
    m.put("epsilon", o.epsilon());
    m.put("weight_decay", o.weightDecay());
    m.put("clip", o.clip());
    return m;
  }
}
