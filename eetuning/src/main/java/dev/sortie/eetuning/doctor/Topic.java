package dev.sortie.eetuning.doctor;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What was found on one topic, and what is slow, with how to fix it. */
public final class Topic {
  private final String name;
  private final Map<String, Object> facts = new LinkedHashMap<>();
  private final List<String> advice = new ArrayList<>();

  Topic(String name) {
    this.name = name;
  }

  Topic fact(String key, Object value) {
    facts.put(key, value);
    return this;
  }

  Topic advise(String sentence) {
    advice.add(sentence);
    return this;
  }

  /** One word. */
  public String name() {
    return name;
  }

  /** Values by name, as JSON takes them. */
  public Map<String, Object> facts() {
    return Collections.unmodifiableMap(facts);
  }

  /** Plain sentences; none where all is well. */
  public List<String> advice() {
    return Collections.unmodifiableList(advice);
  }
}
