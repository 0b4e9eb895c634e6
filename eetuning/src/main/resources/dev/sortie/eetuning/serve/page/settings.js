// How the next message is answered.

const PLACE = 'sortie.settings';
const FIELDS = ['threshold', 'temperature', 'longest'];

export class Settings {
  /** @param model what `/props` says */
  constructor(model) {
    this.model = model;
    this.panel = document.getElementById('settings');
    this.panel.open = matchMedia('(min-width: 900px)').matches;
    this.radios = [...document.querySelectorAll('input[name=strategy]')];
    this.live = document.getElementById('live');
    for (const field of FIELDS) {
      this[field] = document.getElementById(field);
    }
    this.fill({
      strategy: 'early-exit',
      threshold: 0.8,
      temperature: 0,
      longest: Math.min(256, model.max_tokens),
      live: false,
      ...stored(),
    });
    this.panel.addEventListener('input', () => this.changed());
    this.changed();
  }

  fill(values) {
    const strategy = this.model.exits.length ? values.strategy : 'full';
    this.radios.forEach(radio => {
      radio.checked = radio.value === strategy;
    });
    this.threshold.value = values.threshold;
    this.temperature.value = values.temperature;
    this.longest.value = values.longest;
    this.longest.max = this.model.context;
    this.live.checked = values.live;
    if (!this.model.exits.length) {
      [...this.radios, this.threshold].forEach(control => {
        control.disabled = true;
      });
      document.getElementById('threshold-note').textContent = `${this.model.model} is served without exits, so all tokens go to full depth. Start the server with --exits DIR.`;
    }
  }

  changed() {
    const values = this.values();
    this.threshold.disabled = values.strategy === 'full';
    document.getElementById('threshold-value').value = values.threshold.toFixed(2);
    document.getElementById('temperature-value').value = values.temperature.toFixed(1);
    const bound = values.threshold.toFixed(2);
    document.getElementById('settings-summary').textContent = {
      full: 'full depth',
      'early-exit': `early exit at ${bound}`,
      compare: `full depth and ${bound}`,
    }[values.strategy];
    sessionStorage.setItem(PLACE, JSON.stringify(values));
  }

  values() {
    return {
      strategy: this.radios.find(radio => radio.checked).value,
      threshold: this.threshold.valueAsNumber,
      temperature: this.temperature.valueAsNumber,
      longest: Math.max(1, Math.trunc(this.longest.valueAsNumber) || 1),
      live: this.live.checked,
    };
  }

  /** How the next message is answered: once, or twice to compare. All share a seed. */
  ways() {
    const {strategy, threshold, temperature, longest} = this.values();
    const seed = Math.trunc(Math.random() * 2 ** 31);
    return (strategy === 'compare' ? ['full', 'early-exit'] : [strategy]).map(each => ({threshold, temperature, longest, seed, strategy: each}));
  }
}

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(PLACE)) ?? {};
  } catch {
    return {}; // written by another version of this page
  }
}
