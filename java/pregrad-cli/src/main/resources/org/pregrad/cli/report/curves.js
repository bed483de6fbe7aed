// Removal curves with the band of the random orders.
pregrad.curves = (() => {
  const NAMES = {
    accuracy: 'Accuracy', mean_output: 'Mean output', cross_entropy: 'Cross-entropy',
    outside_accuracy: 'Accuracy outside the cluster'};
  const RANDOM = 'random';
  const NORMAL_95 = 1.959964;
  const SHOWN_AT_FIRST = 6;
  const SYMBOL_EVERY = 9;
  const MOST_IN_TIP = 12;
  let view = null;
  let keys = null;
  let hidden = new Set();
  // Curves that someone picked stay when another cluster is chosen.
  let picked = false;
  // Whether the first neurons are kept, and the others removed.
  let kept = false;

  const set = () => pregrad.cluster().curves;
  const metric = () => pregrad.chosen.metric;
  const metricName = () => NAMES[pregrad.data.metrics[metric()]];
  // An accuracy is a share, and no deviation leads out of [0, 1].
  const range = () => (pregrad.data.metrics[metric()].endsWith('accuracy') ? {min: 0, max: 1} : {scale: true});
  const clamped = (value) => Math.min(Math.max(value, range().min ?? -Infinity), range().max ?? Infinity);
  const word = () => (kept ? 'kept' : 'removed');
  const random = () => (kept ? set()?.randomKept : set()?.random);
  const hasKept = () => pregrad.data.layers.some((layer) => layer.clusters.some(
    (cluster) => cluster.curves && (cluster.curves.randomKept || cluster.curves.series.some((series) => series.keep))));
  const label = (series) => `${series.method}, ${series.aggregate}`;

  // All curves that can be shown: the random band first, then the oracle, then the others.
  function curves() {
    if (!set()) {
      return [];
    }
    const own = set().series.filter((series) => series.keep === kept).map((series) => ({
      name: label(series), area: series.area, error: series.error, values: series.values[metric()], mark: pregrad.marks.of(series.method, series.aggregate),
      oracle: pregrad.marks.isOracle(series.method)}));
    const oracle = own.filter((curve) => curve.oracle);
    const orders = random();
    const band = orders ? [{
      name: RANDOM, area: orders.area, values: orders.mean[metric()], std: orders.std[metric()],
      mark: pregrad.marks.random()}] : [];
    return [...band, ...oracle, ...own.filter((curve) => !curve.oracle)];
  }

  const measured = () => curves().filter((curve) => curve.values.some((value) => value !== null));
  const shown = () => measured().filter((curve) => !hidden.has(curve.name));

  // Of removed neurons the lower area is the better, of kept ones the higher; curves without one come last.
  function better(a, b) {
    const [one, other] = [a, b].map((curve) => (curve.area === null ? Infinity : curve.area * (kept ? -1 : 1)));
    return one === other ? 0 : one - other;
  }

  function best() {
    const scores = curves().filter((curve) => !curve.oracle && curve.name !== RANDOM);
    const order = [...scores].sort(better);
    return new Set(order.slice(SHOWN_AT_FIRST).map((curve) => curve.name));
  }

  function points(curve) {
    return set().removed.map((removed, index) => [removed, curve.values[index]]);
  }

  function band(curve) {
    const edge = (sign) => set().removed.map(
      (removed, index) => [removed, clamped(curve.values[index] + sign * curve.std[index])]);
    const outline = [...edge(1), ...edge(-1).reverse()];
    return {
      type: 'custom', id: 'band', name: `${RANDOM} band`, silent: true, z: 1, clip: true,
      encode: {x: 0, y: 1}, data: outline,
      renderItem: (params, api) => (params.dataIndexInside > 0 ? undefined : {
        type: 'polygon',
        shape: {points: outline.map((point) => api.coord(point))},
        style: {fill: curve.mark.colour, opacity: 0.3},
      }),
    };
  }

  function line(curve, index) {
    const phase = (index * 4) % SYMBOL_EVERY;
    return {
      type: 'line', name: curve.name, data: points(curve), z: curve.oracle ? 4 : 3,
      color: curve.mark.colour,
      lineStyle: {color: curve.mark.colour, width: curve.mark.width, type: curve.mark.dash.length ? curve.mark.dash : 'solid'},
      symbol: curve.mark.symbol, showSymbol: curve.mark.symbol !== 'none', showAllSymbol: true,
      symbolSize: (value, params) => (params.dataIndex % SYMBOL_EVERY === phase ? 8 : 0),
      emphasis: {disabled: true},
    };
  }

  function draw() {
    const lines = shown();
    const orders = lines.find((curve) => curve.name === RANDOM);
    view.draw({
      grid: {left: 8, right: 16, top: 16, bottom: 28, containLabel: true},
      tooltip: {...pregrad.chart.tooltip(), trigger: 'axis', formatter: tip},
      xAxis: pregrad.chart.axis(kept ? 'Kept neurons' : 'Removed neurons', {type: 'value', min: 0, max: set() ? set().removed.at(-1) : 1, nameGap: 26}),
      yAxis: pregrad.chart.axis('', {type: 'value', ...range()}),
      series: [
        ...(orders ? [band(orders)] : []),
        ...lines.map(line),
        {type: 'scatter', id: 'cursor', data: [], symbolSize: 14, z: 9, silent: true, tooltip: {show: false},
          itemStyle: {color: 'transparent', borderColor: pregrad.theme.colour('ink'), borderWidth: 2.5}}],
    });
  }

  function tip(params) {
    const at = params.find((point) => point.seriesType === 'line');
    if (!at) {
      return '';
    }
    const pairs = shown()
      .map((curve) => [curve.name, curve.values[at.dataIndex], curve.std?.[at.dataIndex]])
      .filter(([, value]) => value !== null)
      .sort((a, b) => a[1] - b[1]);
    const more = pairs.length > MOST_IN_TIP ? [[`and ${pairs.length - MOST_IN_TIP} more`, '']] : [];
    return pregrad.chart.tip(`${set().removed[at.dataIndex]} ${word()}`, [
      ...pairs.slice(0, MOST_IN_TIP).map(([name, value, std]) => [name, valueText(value, std)]), ...more]);
  }

  const valueText = (value, std) =>
    pregrad.shown(value) + (std === undefined || std === null ? '' : ` ± ${pregrad.shown(std, 2)}`);

  // With half of its 95% interval, where there is one.
  const areaText = (curve) => pregrad.shown(curve.area, 3)
    + (curve.error === null || curve.error === undefined ? '' : ` ± ${pregrad.shown(NORMAL_95 * curve.error, 2)}`);

  function legend() {
    const place = pregrad.byId('curves-legend');
    place.replaceChildren(...measured().map((curve) => {
      const box = pregrad.element('input', {type: 'checkbox'});
      box.checked = !hidden.has(curve.name);
      box.addEventListener('change', () => {
        hidden[box.checked ? 'delete' : 'add'](curve.name);
        picked = true;
        refresh();
      });
      const name = curve.oracle ? `${curve.name} (oracle)` : curve.std ? `${curve.name}, mean ± std` : curve.name;
      return pregrad.element('label', {}, box, pregrad.marks.swatch(curve.mark, Boolean(curve.std)),
        pregrad.element('span', {}, name), pregrad.element('b', {}, areaText(curve)));
    }));
  }

  function describe() {
    const order = measured().filter((curve) => curve.area !== null && curve.area !== undefined)
      .sort(better);
    const orders = random();
    const parts = [`${metricName()} against ${word()} neurons of ${pregrad.layer().name}, cluster ${pregrad.cluster().id}: `
      + `${shown().length} of ${measured().length} curves shown.`];
    if (order.length > 0) {
      const name = order[0].name === RANDOM ? 'the random orders' : order[0].name;
      parts.push(`The ${kept ? 'highest' : 'lowest'} area is that of ${name}, ${pregrad.shown(order[0].area, 3)}.`);
    }
    if (orders && orders.area !== null) {
      parts.push(`${orders.repeats} random orders have ${pregrad.shown(orders.area, 3)} ± ${pregrad.shown(orders.areaStd, 2)}.`);
    }
    if (!set()) {
      parts.push('Those of this cluster are left out of the page: pregrad report --cluster draws them.');
    }
    pregrad.byId('curves-text').textContent = parts.join(' ');
  }

  function table() {
    const lines = shown();
    pregrad.table(pregrad.byId('curves-data'), [kept ? 'Kept neurons' : 'Removed neurons', ...lines.map((curve) => curve.name)],
      () => (set()?.removed ?? []).map((removed, index) => [
        String(removed), ...lines.map((curve) => valueText(curve.values[index], curve.std?.[index]))]));
  }

  function refresh() {
    draw();
    describe();
    table();
    keys.reset();
  }

  // Measures without a value here cannot be chosen.
  function measures() {
    const select = pregrad.byId('metric');
    const has = (index) => set() && [...set().series.map((series) => series.values), ...(random() ? [random().mean] : [])]
      .some((values) => values[index].some((value) => value !== null));
    if (!has(metric())) {
      pregrad.chosen.metric = Math.max(0, pregrad.data.metrics.findIndex((name, index) => has(index)));
    }
    select.replaceChildren(...pregrad.data.metrics.map((name, index) => {
      const option = pregrad.element('option', {value: String(index)}, NAMES[name]);
      option.disabled = !has(index);
      return option;
    }));
    select.value = String(metric());
  }

  function choose(names, byHand) {
    picked = byHand;
    hidden = names;
    legend();
    refresh();
  }

  // Draws all anew; `fresh` if another layer or cluster was chosen.
  function update(fresh) {
    if (!view) {
      return;
    }
    if (fresh && !picked) {
      hidden = best();
    }
    measures();
    legend();
    refresh();
  }

  function start() {
    if (!pregrad.byId('curves-chart')) {
      return;
    }
    view = pregrad.chart.create('curves-chart', () => update(false));
    keys = pregrad.keyboard.attach(view.place, 'Removal curves',
      'Focus the chart, then: left and right along a curve, up and down to another, Home and End, Escape.', {
        rows: () => shown().length,
        columns: () => set()?.removed.length ?? 0,
        read(row, column) {
          const curve = shown()[row];
          return `${curve.name}: ${set().removed[column]} of ${pregrad.layer().neurons} ${word()}, `
            + `${metricName().toLowerCase()} ${valueText(curve.values[column], curve.std?.[column])}`;
        },
        mark(row, column) {
          const value = shown()[row].values[column];
          view.chart.setOption({series: [{id: 'cursor', data: value === null ? [] : [[set().removed[column], value]]}]});
        },
        unmark: () => view.chart.setOption({series: [{id: 'cursor', data: []}]}),
      });
    pregrad.byId('metric').addEventListener('change', (event) => {
      pregrad.chosen.metric = Number(event.target.value);
      update(false);
    });
    const kind = pregrad.byId('curves-kind');
    kind.closest('label').hidden = !hasKept();
    kind.addEventListener('change', () => {
      kept = kind.value === 'keep';
      update(true);
    });
    pregrad.byId('curves-best').addEventListener('click', () => choose(best(), false));
    pregrad.byId('curves-all').addEventListener('click', () => choose(new Set(), true));
    pregrad.byId('curves-none').addEventListener('click', () => choose(new Set(curves().map((curve) => curve.name)), true));
  }

  return {start, update};
})();
