// What is chosen decides what is shown.
(() => {
  const {data, chosen, byId, element} = pregrad;

  const NONE = '';
  const choosers = Object.fromEntries(['layer', 'cluster', 'other'].map((id) => [id, pregrad.chooser.create(id)]));

  function fill(select, entries, value) {
    select.replaceChildren(...entries.map(([key, text]) => element('option', {value: key}, text)));
    select.value = value;
  }

  const clusters = () => pregrad.layer().clusters.map(
    (cluster, index) => [String(index), `${cluster.id} (${cluster.samples} samples)`]);

  // A cluster is compared with another one.
  function fillOthers() {
    if (chosen.other === chosen.cluster) {
      chosen.other = null;
    }
    byId('other').closest('.choose').hidden = pregrad.layer().clusters.length < 2;
    choosers.other.fill(
      [[NONE, 'None'], ...clusters().filter(([index]) => index !== String(chosen.cluster))], chosen.other === null ? NONE : String(chosen.other));
  }

  // Keeps what was chosen where the layer has it too.
  function fillForLayer(clusterId, otherId) {
    const layer = pregrad.layer();
    const place = (id) => layer.clusters.findIndex((cluster) => cluster.id === id);
    chosen.cluster = Math.max(0, place(clusterId));
    chosen.other = place(otherId) < 0 ? null : place(otherId);
    if (!layer.methods.includes(chosen.method)) {
      chosen.method = layer.methods[0];
    }
    choosers.cluster.fill(clusters(), String(chosen.cluster));
    fillOthers();
    fill(byId('method'), layer.methods.map((method) => [method, method]), chosen.method);
  }

  // Of a table's groups only those of what is chosen.
  function filter(table, wanted) {
    for (const body of table?.tBodies ?? []) {
      body.hidden = !Object.entries(wanted).every(([key, value]) => body.dataset[key] === value);
    }
  }

  // The table has the ranks of the layer with the most neurons.
  function hideRanksBeyondLayer() {
    const {neurons} = pregrad.layer();
    [...byId('top').tHead.rows[0].cells].forEach((cell, rank) => {
      cell.hidden = rank > neurons;
    });
  }

  function showTables() {
    const layer = String(chosen.layer);
    const cluster = pregrad.cluster().id;
    filter(byId('areas'), {layer, cluster});
    filter(byId('cancellation'), {layer, cluster});
    filter(byId('top'), {layer, method: chosen.method, aggregate: chosen.aggregate});
    hideRanksBeyondLayer();
    const panel = `of ${pregrad.layer().name}, cluster ${cluster}`;
    const ranking = `of ${pregrad.layer().name}, ${chosen.method}, ${chosen.aggregate}`;
    const both = pregrad.other() ? `s ${cluster} and ${pregrad.other().id}` : ` ${cluster}`;
    const texts = {panel, ranking, neurons: `of ${pregrad.layer().name}, cluster${both}, ${chosen.method}, ${chosen.aggregate}`};
    document.querySelectorAll('.where').forEach((place) => {
      place.textContent = texts[place.dataset.where];
    });
  }

  function update(fresh) {
    showTables();
    pregrad.overview.update();
    pregrad.neurons.update();
    pregrad.examples.update();
    pregrad.curves.update(fresh);
    pregrad.heatmap.update();
    pregrad.cancellation.update();
  }

  function onChoice(id, take) {
    byId(id).addEventListener('change', (event) => {
      take(event.target.value);
      update(id === 'layer' || id === 'cluster');
    });
  }

  async function copy() {
    const command = byId('command');
    const said = byId('copied');
    said.textContent = '';
    try {
      await navigator.clipboard.writeText(command.textContent);
      said.textContent = 'Copied.';
    } catch {
      // A browser that keeps the clipboard to itself still lets people copy what is selected.
      getSelection().selectAllChildren(command);
      said.textContent = 'Selected: press Ctrl+C to copy.';
    }
  }

  document.documentElement.classList.add('scripted');
  document.querySelectorAll('.needs-script').forEach((part) => {
    part.hidden = false;
  });
  byId('choice').hidden = false;
  byId('choice').addEventListener('submit', (event) => event.preventDefault());
  byId('copy').hidden = false;
  byId('copy').addEventListener('click', copy);
  choosers.layer.fill(data.layers.map((layer, index) => [String(index), `${layer.name} (${layer.neurons} neurons)`]), '0');
  chosen.aggregate = data.aggregates[0];
  fill(byId('aggregate'), data.aggregates.map((name) => [name, name]), chosen.aggregate);
  fillForLayer();
  onChoice('layer', (value) => {
    const [cluster, other] = [pregrad.cluster().id, pregrad.other()?.id];
    chosen.layer = Number(value);
    fillForLayer(cluster, other);
  });
  onChoice('cluster', (value) => {
    chosen.cluster = Number(value);
    fillOthers();
  });
  onChoice('other', (value) => {
    chosen.other = value === NONE ? null : Number(value);
  });
  onChoice('method', (value) => {
    chosen.method = value;
  });
  onChoice('aggregate', (value) => {
    chosen.aggregate = value;
  });
  pregrad.overview.start((layer, clusterId) => {
    choosers.layer.choose(String(layer));
    choosers.cluster.choose(String(pregrad.layer().clusters.findIndex((cluster) => cluster.id === clusterId)));
  });
  pregrad.neurons.start();
  pregrad.examples.start();
  pregrad.curves.start();
  pregrad.heatmap.start();
  pregrad.cancellation.start();
  let drawn = false;
  pregrad.theme.start(() => {
    update(!drawn);
    drawn = true;
  });
})();
