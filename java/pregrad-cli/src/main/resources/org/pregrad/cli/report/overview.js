// Where in the network a cluster is decided: all layers by all clusters.
pregrad.overview = (() => {
  const MEASURES = {
    distinctness: ['Distinctness', 'How unlike the other clusters the layer treats this one: 1 − the cosine between its scores and the '
      + 'mean of the other clusters’ scores, each taken at length 1. 0 where the same neurons matter as elsewhere, 1 where others do. '
      + 'Noise counts as unlikeness, so small clusters look more distinct.'],
    size: ['Size', 'The length of the cluster’s scores as a vector, divided by the root mean square of the clusters’ lengths in the same '
      + 'layer: 1 is a usual cluster of this layer, 2 one whose scores are twice as large.'],
    concentration: ['Concentration', 'The share of all |score| in the layer that its strongest tenth of neurons has: 0.1 where all '
      + 'neurons score alike, 1 where that tenth has it all.'],
    agreement: ['Agreement', 'The median over neurons of |mean| / mean_abs: 1 where the cluster’s samples agree in sign, near 0 where '
      + 'they cancel.'],
    removal: ['Removal', 'The area under the removal curve of random orders minus that of this ranking: 0 where the ranking does no '
      + 'better than chance, larger where its first neurons carry the output.']};
  const SCALE = ' Each is free of the layer’s own scale, so layers can be compared; raw scores of two layers cannot.';
  const ROW = 22;
  const MOST_ROW_LABEL = 26;
  let view = null;
  let keys = null;
  let choose = () => {};

  const layers = () => pregrad.data.layers;
  const names = () => [...new Set(layers().flatMap((layer) => layer.clusters.map((cluster) => cluster.id)))];
  const measure = () => pregrad.byId('overview-measure').value;
  const title = () => MEASURES[measure()][0];

  // By layer and cluster, in the order of names().
  function table() {
    const columns = names();
    return layers().map((layer) => {
      const values = pregrad.scores.overview(layer)[measure()];
      const places = new Map(layer.clusters.map((cluster, index) => [cluster.id, index]));
      return columns.map((name) => (values && places.has(name) ? values[places.get(name)] : NaN));
    });
  }

  const short = (name) => (name.length > MOST_ROW_LABEL ? `…${name.slice(1 - MOST_ROW_LABEL)}` : name);

  function measures() {
    const select = pregrad.byId('overview-measure');
    const before = select.value;
    const there = Object.keys(MEASURES).filter((name) => layers().some((layer) => pregrad.scores.overview(layer)[name]));
    select.replaceChildren(...there.map((name) => pregrad.element('option', {value: name}, MEASURES[name][0])));
    select.value = there.includes(before) ? before : there[0];
  }

  function draw(values) {
    const columns = names();
    pregrad.chart.widen(view, columns.length);
    view.place.style.height = `${layers().length * ROW + 100}px`;
    const wide = view.place.clientWidth / columns.length > 12;
    view.draw({
      grid: {left: 8, right: 16, top: 44, bottom: 48, containLabel: true},
      tooltip: {...pregrad.chart.tooltip(), formatter: ({data}) => pregrad.chart.tip(
        layers()[data[1]].name, [[`cluster ${columns[data[0]]}`, pregrad.shown(data[2], 3)]])},
      xAxis: pregrad.chart.axis('Cluster', {
        type: 'category', data: columns, position: 'top', nameGap: 22, splitLine: {show: false},
        axisLabel: {hideOverlap: true, formatter: short}}),
      yAxis: pregrad.chart.axis('', {
        type: 'category', data: layers().map((layer) => layer.name), inverse: true, splitLine: {show: false},
        axisLabel: {interval: 0, formatter: short, width: view.seen() < 520 ? 96 : 170, overflow: 'truncate'}}),
      visualMap: pregrad.chart.colours(view, values.flat()),
      series: [
        {type: 'heatmap', data: values.flatMap((row, y) => row.map((value, x) => [x, y, Number.isNaN(value) ? null : value])),
          emphasis: {disabled: true}, itemStyle: {borderColor: pregrad.theme.colour('paper'), borderWidth: wide ? 1 : 0}},
        outline('cursor', [], 2.5), outline('chosen', chosenCells(columns), 2)],
    });
  }

  // A frame around cells.
  const outline = (id, data, width) => ({
    type: 'custom', id, data, silent: true, z: 9, tooltip: {show: false}, encode: {x: 0, y: 1},
    renderItem(params, api) {
      const [x, y] = api.coord([api.value(0), api.value(1)]);
      const [w, h] = api.size([1, 1]);
      return {type: 'rect', shape: {x: x - w / 2, y: y - h / 2, width: w, height: h},
        style: {fill: 'none', stroke: pregrad.theme.colour('ink'), lineWidth: width}};
    },
  });

  const chosenCells = (columns) => [pregrad.cluster(), pregrad.other()].filter(Boolean)
    .map((cluster) => [columns.indexOf(cluster.id), pregrad.chosen.layer]);

  // The chosen cluster's layers, one under the other.
  function profile(values) {
    const columns = names();
    const shown = [pregrad.cluster(), pregrad.other()].filter(Boolean).map((cluster) => cluster.id);
    const largest = Math.max(...shown.flatMap((id) => values.map((row) => Math.abs(row[columns.indexOf(id)]) || 0))) || 1;
    const bar = (value, other) => {
      const made = pregrad.element('span', {class: other ? 'bar other' : 'bar', 'aria-hidden': 'true'});
      made.style.width = `${Math.abs(value) / largest * 100 || 0}%`;
      return made;
    };
    pregrad.byId('overview-profile').replaceChildren(
      pregrad.element('caption', {}, `${title()} of ${shown.map((id) => `cluster ${id}`).join(' and ')} by layer call`),
      pregrad.element('thead', {}, pregrad.element('tr', {},
        pregrad.element('th', {scope: 'col'}, 'Layer call'),
        ...shown.map((id) => pregrad.element('th', {scope: 'col', class: 'number'}, `Cluster ${id}`)),
        pregrad.element('td', {}))),
      pregrad.element('tbody', {}, ...layers().map((layer, y) => {
        const numbers = shown.map((id) => values[y][columns.indexOf(id)]);
        const row = pregrad.row([layer.name, ...numbers.map((value) => pregrad.shown(value, 3))]);
        row.append(pregrad.element('td', {class: 'bars'}, ...numbers.map((value, index) => bar(value, index > 0))));
        if (y === pregrad.chosen.layer) {
          row.classList.add('chosen');
        }
        return row;
      })));
  }

  function describe(values) {
    const column = names().indexOf(pregrad.cluster().id);
    const order = layers().map((layer, y) => [layer.name, values[y][column]]).filter(([, value]) => !Number.isNaN(value))
      .sort((a, b) => b[1] - a[1]);
    pregrad.byId('overview-note').textContent = MEASURES[measure()][1] + SCALE;
    pregrad.byId('overview-text').textContent = `${title()} by ${pregrad.chosen.method}, ${pregrad.chosen.aggregate}, of ${layers().length} `
      + `layer calls and ${names().length} clusters. ` + (order.length > 0
      ? `Of cluster ${pregrad.cluster().id} it is highest in ${order[0][0]}, ${pregrad.shown(order[0][1], 3)}, and lowest in `
        + `${order.at(-1)[0]}, ${pregrad.shown(order.at(-1)[1], 3)}.` : 'There are no numbers for this cluster.');
  }

  function update() {
    if (!view) {
      return;
    }
    measures();
    const values = table();
    draw(values);
    describe(values);
    profile(values);
    keys.reset();
    pregrad.table(pregrad.byId('overview-data'), ['Layer call', ...names()],
      () => layers().map((layer, y) => [layer.name, ...values[y].map((value) => pregrad.shown(value, 3))]));
  }

  // `onChoice` takes the index of a layer and the name of a cluster.
  function start(onChoice) {
    if (!pregrad.byId('overview-chart')) {
      return;
    }
    choose = onChoice;
    view = pregrad.chart.create('overview-chart', update, layers().length * names().length);
    view.chart.on('click', ({data}) => choose(data[1], names()[data[0]]));
    keys = pregrad.keyboard.attach(view.place, 'Map of layer calls by clusters',
      'Focus the map, then: up and down to another layer call, left and right to another cluster, Home and End, Enter to choose, Escape.', {
        rows: () => layers().length,
        columns: () => names().length,
        read: (row, column) => `${layers()[row].name}, cluster ${names()[column]}: ${title().toLowerCase()} `
          + pregrad.shown(table()[row][column], 3),
        mark: (row, column) => view.chart.setOption({series: [{id: 'cursor', data: [[column, row]]}]}),
        unmark: () => view.chart.setOption({series: [{id: 'cursor', data: []}]}),
        enter: (row, column) => choose(row, names()[column]),
      });
    pregrad.byId('overview-measure').addEventListener('change', update);
  }

  return {start, update};
})();
