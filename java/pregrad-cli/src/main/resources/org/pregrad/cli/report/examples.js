// The samples for which neurons have their largest values.
pregrad.examples = (() => {
  const NEURONS = 6;
  const ABRIDGED = 24;
  const data = pregrad.data.examples;

  const here = () => data.groups.filter(
    (group) => group.layer === pregrad.chosen.layer && group.cluster === pregrad.cluster().id);
  const methods = () => [...new Set(here().map((group) => group.method))];
  const method = () => pregrad.byId('examples-method').value;

  // Those of the ranking that is chosen come first.
  function groups() {
    const first = pregrad.scores.firstOf(pregrad.chosen.cluster);
    const rank = (group) => {
      const at = first.indexOf(group.neuron);
      return at < 0 ? Infinity : at;
    };
    return here().filter((group) => group.method === method()).sort((a, b) => rank(a) - rank(b) || a.neuron - b.neuron);
  }

  // Pieces of words are put together again; the word at the position stands out.
  function text(sample, position) {
    const words = sample.words.map((word, index) => {
      const isStart = !word.startsWith('##');
      const plain = word.replace(/^(##|Ġ|▁)/, '') || ' ';
      const part = sample.from + index === position ? pregrad.element('mark', {}, plain) : plain;
      return index > 0 && isStart ? [' ', part] : [part];
    });
    const at = Math.max(0, position - sample.from);
    const from = Math.max(0, at - ABRIDGED / 2);
    const shown = words.slice(from, from + ABRIDGED).flat();
    return pregrad.element('p', {class: 'words'}, from + sample.from > 0 ? '… ' : '', ...shown, from + ABRIDGED < words.length ? ' …' : '');
  }

  function card(group, place) {
    const number = group.samples[place];
    const sample = data.samples[number];
    const position = group.positions && group.positions[place] >= 0 ? group.positions[place] : null;
    const where = `Sample ${number}${position === null ? '' : `, position ${position}`}`;
    const made = pregrad.element('figure', {class: 'example'});
    if (sample?.image) {
      made.append(pregrad.element('img', {src: sample.image, alt: '', width: '72', height: '72'}));
    } else if (sample?.words) {
      made.append(text(sample, position ?? -1));
    } else if (sample?.text) {
      made.append(pregrad.element('p', {class: 'words'}, sample.text));
    }
    made.append(pregrad.element('figcaption', {}, where, pregrad.element('b', {}, pregrad.shown(group.values[place], 3))));
    return pregrad.element('li', {}, made);
  }

  function fill(select, entries) {
    const before = select.value;
    select.replaceChildren(...entries.map(([key, name]) => pregrad.element('option', {value: key}, name)));
    select.value = entries.some(([key]) => key === before) ? before : entries[0]?.[0] ?? '';
  }

  function draw() {
    const all = groups();
    const neuron = pregrad.byId('examples-neuron');
    fill(neuron, [['', `First ${Math.min(NEURONS, all.length)}`], ...all.map((group) => [String(group.neuron), `Neuron ${group.neuron}`])]);
    const shown = neuron.value === '' ? all.slice(0, NEURONS) : all.filter((group) => String(group.neuron) === neuron.value);
    pregrad.byId('examples-list').replaceChildren(...shown.flatMap((group) => [
      pregrad.element('h3', {}, `Neuron ${group.neuron}`),
      pregrad.element('ol', {class: 'examples', 'aria-label': `Samples of neuron ${group.neuron}`},
        ...group.samples.map((sample, place) => card(group, place)))]));
    pregrad.byId('examples-text').textContent = (shown.length === 0
      ? 'There are no examples for this layer call and cluster on this page. '
      : `The samples of cluster ${pregrad.cluster().id} with the largest ${method()} of each neuron, the largest first. `) + data.note;
  }

  function update() {
    if (!data) {
      return;
    }
    fill(pregrad.byId('examples-method'), methods().map((name) => [name, name]));
    draw();
  }

  function start() {
    if (!data) {
      return;
    }
    pregrad.byId('examples-method').addEventListener('change', draw);
    pregrad.byId('examples-neuron').addEventListener('change', draw);
  }

  return {start, update};
})();
