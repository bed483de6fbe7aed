// Scores of neurons by clusters.
pregrad.heatmap = (() => {
  const DIVERGING = {
    light: ['#0b4f8a', '#6aa9dc', '#f2f2f2', '#eda06c', '#9c3a04'],
    dark: ['#8ccaff', '#2d72b5', '#262b33', '#b8622c', '#ffbf8f']};
  const RISING = {light: ['#f2f2f2', '#eda06c', '#9c3a04'], dark: ['#262b33', '#b8622c', '#ffbf8f']};
  const ROW = 17;
  const PRINTED_ROW = 11;
  let view = null;
  let keys = null;

  const map = () => pregrad.layer().heatMaps.find(
    (one) => one.method === pregrad.chosen.method && one.aggregate === pregrad.chosen.aggregate);
  const clusters = () => pregrad.layer().clusters.map((cluster) => cluster.id);

  function cells() {
    return map().values.flatMap((row, y) => row.map((value, x) => [x, y, value]));
  }

  function scale() {
    const values = map().values.flat().filter((value) => value !== null);
    const largest = Math.max(0, ...values.map(Math.abs)) || 1;
    return values.some((value) => value < 0) ? [-largest, largest] : [0, largest];
  }

  function draw() {
    const [low, high] = scale();
    const theme = pregrad.theme.isDark() ? 'dark' : 'light';
    const row = pregrad.theme.isPrinting() ? PRINTED_ROW : ROW;
    view.place.style.height = `${map().neurons.length * row + 100}px`;
    view.draw({
      grid: {left: 8, right: 16, top: 44, bottom: 48, containLabel: true},
      tooltip: {...pregrad.chart.tooltip(), formatter: ({data}) => pregrad.chart.tip(
        `Neuron ${map().neurons[data[1]]}`, [[`cluster ${clusters()[data[0]]}`, pregrad.shown(data[2])]])},
      xAxis: pregrad.chart.axis('Cluster', {
        type: 'category', data: clusters(), position: 'top', nameGap: 22, splitLine: {show: false}}),
      yAxis: pregrad.chart.axis('', {
        type: 'category', data: map().neurons.map(String), inverse: true, splitLine: {show: false},
        axisLabel: {interval: 0, fontSize: row - 6}}),
      visualMap: {
        type: 'continuous', min: low, max: high, calculable: false, orient: 'horizontal', left: 'center', bottom: 0,
        itemWidth: 12, itemHeight: view.narrow() ? 120 : 220,
        text: [pregrad.shown(high, 3), pregrad.shown(low, 3)],
        textStyle: {color: pregrad.theme.colour('soft')},
        inRange: {color: (low < 0 ? DIVERGING : RISING)[theme]}},
      series: [
        {type: 'heatmap', data: cells(), emphasis: {disabled: true},
          itemStyle: {borderColor: pregrad.theme.colour('paper'), borderWidth: 1}},
        {type: 'scatter', id: 'cursor', data: [], symbol: 'rect', symbolSize: 13, silent: true, z: 9, tooltip: {show: false},
          itemStyle: {color: 'transparent', borderColor: pregrad.theme.colour('ink'), borderWidth: 2.5}}],
    });
    // The cursor must not take part in the colouring.
    view.chart.setOption({visualMap: {seriesIndex: 0}});
  }

  function describe() {
    const {neurons} = map();
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
    if (!map()) {
      return;
    }
    draw();
    describe();
    keys.reset();
    pregrad.table(pregrad.byId('heat-data'), ['Neuron', ...clusters().map((id) => `Cluster ${id}`)],
      () => map().neurons.map((neuron, y) => [String(neuron), ...map().values[y].map((value) => pregrad.shown(value))]));
  }

  function start() {
    view = pregrad.chart.create('heat-chart', update);
    keys = pregrad.keyboard.attach(view.place, 'Heat map of neurons by clusters',
      'Focus the chart, then: up and down to another neuron, left and right to another cluster, Home and End, Escape.', {
        rows: () => map().neurons.length,
        columns: () => clusters().length,
        read: (row, column) => `Neuron ${map().neurons[row]}, cluster ${clusters()[column]}: `
          + pregrad.shown(map().values[row][column]),
        mark: (row, column) => view.chart.setOption({series: [{id: 'cursor', data: [[column, row]]}]}),
        unmark: () => view.chart.setOption({series: [{id: 'cursor', data: []}]}),
      });
  }

  return {start, update};
})();
