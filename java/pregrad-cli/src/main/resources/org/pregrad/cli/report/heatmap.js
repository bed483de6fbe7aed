// Scores of neurons by clusters.
pregrad.heatmap = (() => {
  const ROW = 17;
  const PRINTED_ROW = 11;
  let view = null;
  let keys = null;
  let map = {neurons: [], values: []};

  const clusters = () => pregrad.layer().clusters.map((cluster) => cluster.id);

  // Those with the largest sizes in any cluster, gathered by the cluster in which each is largest.
  function chosen() {
    const all = pregrad.scores.everywhere().map((neuron) => {
      const values = pregrad.layer().clusters.map((cluster, index) => pregrad.scores.value(pregrad.chosen.aggregate, neuron, index) ?? NaN);
      let size = 0;
      let place = values.length;
      values.forEach((value, index) => {
        if (Math.abs(value) > size) {
          [size, place] = [Math.abs(value), index];
        }
      });
      return {neuron, values, size, place};
    });
    const largest = all.sort((a, b) => b.size - a.size || a.neuron - b.neuron).slice(0, pregrad.layer().rows);
    const order = largest.map((one, rank) => ({...one, rank})).sort((a, b) => a.place - b.place || a.rank - b.rank);
    return {
      neurons: order.map((one) => one.neuron),
      values: order.map((one) => one.values.map((value) => (Number.isNaN(value) ? null : value)))};
  }

  const cells = () => map.values.flatMap((row, y) => row.map((value, x) => [x, y, value]));

  function draw() {
    const row = pregrad.theme.isPrinting() ? PRINTED_ROW : ROW;
    view.place.style.height = `${map.neurons.length * row + 100}px`;
    pregrad.chart.widen(view, clusters().length);
    const wide = view.place.clientWidth / clusters().length > 12;
    view.draw({
      grid: {left: 8, right: 16, top: 44, bottom: 48, containLabel: true},
      tooltip: {...pregrad.chart.tooltip(), formatter: ({data}) => pregrad.chart.tip(
        `Neuron ${map.neurons[data[1]]}`, [[`cluster ${clusters()[data[0]]}`, pregrad.shown(data[2])]])},
      xAxis: pregrad.chart.axis('Cluster', {
        type: 'category', data: clusters(), position: 'top', nameGap: 22, splitLine: {show: false}, axisLabel: {hideOverlap: true}}),
      yAxis: pregrad.chart.axis('', {
        type: 'category', data: map.neurons.map(String), inverse: true, splitLine: {show: false},
        axisLabel: {interval: 0, fontSize: row - 6}}),
      visualMap: pregrad.chart.colours(view, map.values.flat()),
      series: [
        {type: 'heatmap', data: cells(), emphasis: {disabled: true},
          itemStyle: {borderColor: pregrad.theme.colour('paper'), borderWidth: wide ? 1 : 0}},
        {type: 'scatter', id: 'cursor', data: [], symbol: 'rect', symbolSize: 13, silent: true, z: 9, tooltip: {show: false},
          itemStyle: {color: 'transparent', borderColor: pregrad.theme.colour('ink'), borderWidth: 2.5}}],
    });
  }

  function describe() {
    const {neurons} = map;
    const all = pregrad.layer().neurons;
    pregrad.byId('heat-note').textContent = (neurons.length < all
      ? `The ${neurons.length} of ${all} neurons with the largest scores in any cluster`
      : `All ${all} neurons`) + ', gathered by the cluster in which each has its largest score. '
      + 'Rows are neurons by their index, columns are clusters.';
    const best = cells().filter((cell) => cell[2] !== null).sort((a, b) => Math.abs(b[2]) - Math.abs(a[2]))[0];
    pregrad.byId('heat-text').textContent = `${pregrad.chosen.method}, ${pregrad.chosen.aggregate}, of ${pregrad.layer().name}.`
      + (best ? ` The largest score is ${pregrad.shown(best[2])}, of neuron ${neurons[best[1]]} in cluster ${clusters()[best[0]]}.` : '');
  }

  function update() {
    if (!pregrad.scores.has()) {
      return;
    }
    map = chosen();
    draw();
    describe();
    keys.reset();
    pregrad.table(pregrad.byId('heat-data'), ['Neuron', ...clusters().map((id) => `Cluster ${id}`)],
      () => map.neurons.map((neuron, y) => [String(neuron), ...map.values[y].map((value) => pregrad.shown(value))]));
  }

  function start() {
    view = pregrad.chart.create('heat-chart', update, Math.max(...pregrad.data.layers.map((layer) => layer.rows * layer.clusters.length)));
    keys = pregrad.keyboard.attach(view.place, 'Heat map of neurons by clusters',
      'Focus the chart, then: up and down to another neuron, left and right to another cluster, Home and End, Escape.', {
        rows: () => map.neurons.length,
        columns: () => clusters().length,
        read: (row, column) => `Neuron ${map.neurons[row]}, cluster ${clusters()[column]}: `
          + pregrad.shown(map.values[row][column]),
        mark: (row, column) => view.chart.setOption({series: [{id: 'cursor', data: [[column, row]]}]}),
        unmark: () => view.chart.setOption({series: [{id: 'cursor', data: []}]}),
      });
  }

  return {start, update};
})();
