// The first neurons of a cluster with their intervals, or two clusters side by side.
pregrad.neurons = (() => {
  const MOST = 20;
  const ROW = 22;
  let view = null;
  let keys = null;
  let rows = [];

  const index = () => pregrad.chosen.cluster;
  const otherIndex = () => pregrad.chosen.other;
  const isComparing = () => otherIndex() !== null;
  const name = (cluster) => `Cluster ${cluster.id}`;

  function score(neuron, cluster) {
    const value = pregrad.scores.value(pregrad.chosen.aggregate, neuron, cluster);
    if (value === undefined) {
      return null;
    }
    const {samples} = pregrad.layer().clusters[cluster];
    const error = pregrad.scores.error(neuron, cluster) ?? NaN;
    return {score: value, error, samples, half: pregrad.stats.half(error, samples)};
  }

  // What the file compares the cluster's neuron with.
  const compared = (neuron) => Object.fromEntries(['difference', 'low', 'high', 'q'].map(
    (column) => [column, pregrad.scores.value(column, neuron, index()) ?? NaN]));

  // Of all neurons that are known in both, those that differ the most; then first ones that are known in one alone.
  function pairs() {
    const first = [...pregrad.scores.firstOf(index(), MOST), ...pregrad.scores.firstOf(otherIndex(), MOST)];
    const all = [...new Set([...pregrad.scores.everywhere(), ...first])].map((neuron) => {
      const [one, other] = [score(neuron, index()), score(neuron, otherIndex())];
      return {neuron, one, other, ...(one && other ? pregrad.stats.welch(one, other) : {difference: NaN, half: NaN, p: NaN})};
    });
    if (pregrad.scores.isWhole()) {
      const q = pregrad.stats.rates(all.map((pair) => pair.p));
      all.forEach((pair, place) => {
        pair.q = q[place];
      });
    }
    const known = all.filter((pair) => !Number.isNaN(pair.difference));
    const half = all.filter((pair) => !(pair.one && pair.other) && first.indexOf(pair.neuron) >= 0);
    return [...known.sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference)).slice(0, MOST), ...half.slice(0, MOST / 2)];
  }

  const singles = () => pregrad.scores.firstOf(index(), MOST).map(
    (neuron) => ({neuron, one: score(neuron, index()), other: null, ...compared(neuron)}));

  // A line from end to end of each interval.
  const intervals = (axis, colour, shift, entries) => ({
    type: 'custom', silent: true, z: 2, xAxisIndex: axis, yAxisIndex: axis, tooltip: {show: false}, encode: {x: [1, 2], y: 0}, data: entries,
    renderItem(params, api) {
      const [left, y] = api.coord([api.value(1), api.value(0)]);
      const [right] = api.coord([api.value(2), api.value(0)]);
      const at = y + shift;
      return {type: 'path', shape: {pathData: `M${left} ${at}H${right}M${left} ${at - 3}V${at + 3}M${right} ${at - 3}V${at + 3}`},
        style: {fill: 'none', stroke: colour, lineWidth: 1.5}};
    },
  });

  const points = (axis, colour, symbol, shift, values) => ({
    type: 'scatter', xAxisIndex: axis, yAxisIndex: axis, symbol, symbolSize: 9, symbolOffset: [0, shift], z: 3, emphasis: {disabled: true},
    itemStyle: {color: colour}, data: values.map((value, y) => [value, y]).filter(([value]) => Number.isFinite(value))});

  const drawn = (axis, colour, symbol, shift, scores) => [
    intervals(axis, colour, shift, scores.map((one, y) => [y, one?.score - one?.half, one?.score + one?.half])
      .filter(([, low]) => Number.isFinite(low))),
    points(axis, colour, symbol, shift, scores.map((one) => one?.score ?? NaN))];

  function draw() {
    const theme = pregrad.theme.colour;
    const stacked = view.narrow();
    const height = Math.max(rows.length, 2) * ROW;
    const shift = isComparing() ? 4 : 0;
    const grids = [{left: 8, right: isComparing() && !stacked ? '48%' : 16, top: 12, height: height + 22, containLabel: true}];
    if (isComparing()) {
      grids.push({left: stacked ? 8 : '54%', right: 16, top: stacked ? height + 74 : 12, height: height + 22, containLabel: true});
    }
    view.place.style.height = `${(isComparing() && stacked ? 2 : 1) * (height + 62)}px`;
    const names = rows.map((row) => String(row.neuron));
    const titles = [`${pregrad.chosen.aggregate} of ${pregrad.chosen.method}`, 'Difference'];
    const series = [
      ...drawn(0, theme('accent'), 'circle', -shift, rows.map((row) => row.one)),
      ...(isComparing() ? drawn(0, theme('second'), 'triangle', shift, rows.map((row) => row.other)) : []),
      ...(isComparing() ? drawn(1, theme('ink'), 'diamond', 0, rows.map((row) => ({score: row.difference, half: row.half}))) : []),
      {type: 'scatter', id: 'cursor', data: [], symbolSize: 16, silent: true, z: 9, tooltip: {show: false},
        itemStyle: {color: 'transparent', borderColor: theme('ink'), borderWidth: 2.5}}];
    view.draw({
      grid: grids,
      tooltip: {...pregrad.chart.tooltip(), formatter: ({data}) => pregrad.chart.tip(
        `Neuron ${rows[data[1]].neuron}`, head().slice(1).map((column, place) => [column, cells(rows[data[1]])[place + 1]]))},
      xAxis: grids.map((grid, at) => pregrad.chart.axis(titles[at], {type: 'value', scale: true, gridIndex: at, nameGap: 26,
        axisLabel: {hideOverlap: true}, axisLine: {show: true, onZero: false, lineStyle: {color: theme('line')}}})),
      yAxis: grids.map((grid, at) => pregrad.chart.axis('', {
        type: 'category', data: names, inverse: true, gridIndex: at, axisLabel: {interval: 0},
        axisLine: {show: true, onZero: at === 1, lineStyle: {color: at === 1 ? theme('soft') : theme('line')}}})),
      series,
    });
  }

  const withHalf = (value, half) => pregrad.shown(value, 3) + (Number.isFinite(half) ? ` ± ${pregrad.shown(half, 2)}` : '');
  const scoreText = (one) => (one ? withHalf(one.score, one.half) : 'not on this page');
  const hasComparison = () => !isComparing() && rows.some((row) => !Number.isNaN(row.difference));

  function head() {
    if (isComparing()) {
      return ['Neuron', name(pregrad.cluster()), name(pregrad.other()), 'Difference', ...(pregrad.scores.isWhole() ? ['q'] : [])];
    }
    const against = pregrad.data.against === undefined ? 'the other' : `cluster ${pregrad.data.against}`;
    return ['Neuron', name(pregrad.cluster()), ...(hasComparison() ? [`Minus ${against}`, '95% interval', 'q'] : [])];
  }

  function cells(row) {
    if (isComparing()) {
      return [String(row.neuron), scoreText(row.one), scoreText(row.other), withHalf(row.difference, row.half),
        ...(pregrad.scores.isWhole() ? [pregrad.shown(row.q, 2)] : [])];
    }
    return [String(row.neuron), scoreText(row.one), ...(hasComparison()
      ? [pregrad.shown(row.difference, 3), `${pregrad.shown(row.low, 3)} to ${pregrad.shown(row.high, 3)}`, pregrad.shown(row.q, 2)] : [])];
  }

  function describe() {
    const hasIntervals = rows.some((row) => Number.isFinite(row.one?.half));
    const parts = [isComparing()
      ? `${rows.length} neurons of ${pregrad.layer().name}, those whose scores differ the most first. Circles are cluster `
        + `${pregrad.cluster().id}, triangles cluster ${pregrad.other().id}; diamonds are their difference.`
      : `The first ${rows.length} of ${pregrad.layer().neurons} neurons of ${pregrad.layer().name} for cluster ${pregrad.cluster().id}, by falling score.`];
    if (hasIntervals) {
      parts.push(isComparing()
        ? 'Lines are 95% intervals: Student’s t times s/√n of each score; of the difference, Welch’s.'
        : 'Lines, and ±, are 95% intervals: Student’s t times the standard error s/√n.');
      parts.push('They take the samples as drawn independently.');
    } else if (rows.length > 0) {
      parts.push(`There are no intervals of ${pregrad.chosen.aggregate} here.`);
    }
    if (isComparing() && hasIntervals) {
      parts.push(pregrad.scores.isWhole()
        ? `q is the false discovery rate at which a neuron would just count as different, by Benjamini and Hochberg over all ${pregrad.layer().neurons} neurons.`
        : 'Not all neurons of the layer are on this page, so there is no false discovery rate: pregrad report --cluster with these two draws them all.');
    }
    pregrad.byId('neurons-text').textContent = parts.join(' ');
  }

  function table() {
    pregrad.byId('neurons-table').replaceChildren(
      pregrad.element('thead', {}, pregrad.element('tr', {}, ...head().map((text, place) =>
        pregrad.element('th', {scope: 'col', class: place === 0 ? '' : 'number'}, text)))),
      pregrad.element('tbody', {}, ...rows.map((row) => pregrad.row(cells(row)))));
  }

  function update() {
    rows = isComparing() ? pairs() : singles();
    pregrad.byId('neurons-title').firstChild.textContent = isComparing() ? 'Two clusters side by side ' : 'First neurons, with intervals ';
    draw();
    describe();
    table();
    keys.reset();
  }

  function start() {
    view = pregrad.chart.create('neurons-chart', update);
    keys = pregrad.keyboard.attach(view.place, 'Scores of the first neurons',
      'Focus the chart, then: up and down to another neuron, left and right to what there is of it, Escape. The table below has the same numbers.', {
        rows: () => rows.length,
        columns: () => head().length - 1,
        read: (row, column) => `Neuron ${rows[row].neuron}, ${head()[column + 1]}: ${cells(rows[row])[column + 1]}`,
        mark: (row) => view.chart.setOption({series: [{id: 'cursor', data: rows[row].one ? [[rows[row].one.score, row]] : []}]}),
        unmark: () => view.chart.setOption({series: [{id: 'cursor', data: []}]}),
      });
  }

  return {start, update};
})();
