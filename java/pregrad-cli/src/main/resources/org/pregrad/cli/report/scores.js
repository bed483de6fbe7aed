// The scores of the page, wherever in it they stand.
pregrad.scores = (() => {
  const unpacked = new Map();
  const LAST_OF_HALF = 10;

  const half = (bits) => {
    const exponent = (bits >> LAST_OF_HALF) & 31;
    const mantissa = bits & 1023;
    const sign = bits & 0x8000 ? -1 : 1;
    if (exponent === 31) {
      return mantissa ? NaN : sign * Infinity;
    }
    return sign * (exponent ? (1024 + mantissa) * 2 ** (exponent - 25) : mantissa * 2 ** -24);
  };

  // Numbers from a letter for their kind, a scale, a bar, and Base64.
  function unpack(text) {
    if (!unpacked.has(text)) {
      const bar = text.indexOf('|');
      const bytes = Uint8Array.from(atob(text.slice(bar + 1)), (letter) => letter.charCodeAt(0));
      const view = new DataView(bytes.buffer);
      const read = {
        f: [4, (at) => view.getFloat32(at, true)],
        h: [2, (at) => half(view.getUint16(at, true)) * Number(text.slice(1, bar))],
        s: [2, (at) => view.getUint16(at, true)],
        i: [4, (at) => view.getUint32(at, true)]}[text[0]];
      unpacked.set(text, Float64Array.from({length: bytes.length / read[0]}, (none, index) => read[1](index * read[0])));
    }
    return unpacked.get(text);
  }

  const scores = () => pregrad.layer().scores.find((one) => one.method === pregrad.chosen.method);
  const clusterCount = () => pregrad.layer().clusters.length;

  // The neurons whose scores of all clusters are here.
  const everywhere = () => (scores().neurons
    ? [...unpack(scores().neurons)] : Array.from({length: pregrad.layer().neurons}, (none, index) => index));

  const isWhole = () => !scores().neurons;

  // What was chosen last, so that looking for a neuron needs no search.
  let places = {of: null, at: new Map()};

  function place(neuron) {
    if (isWhole()) {
      return neuron;
    }
    if (places.of !== scores()) {
      places = {of: scores(), at: new Map(everywhere().map((one, index) => [one, index]))};
    }
    return places.at.get(neuron);
  }

  // One number of the chosen aggregate (`column` is it, its error, or a comparison); undefined if it is not here.
  function value(column, neuron, cluster) {
    const at = place(neuron);
    if (at !== undefined) {
      const packed = scores().columns[column];
      return packed === undefined ? undefined : unpack(packed)[at * clusterCount() + cluster];
    }
    const first = scores().first[pregrad.chosen.aggregate];
    const rank = firstOf(cluster).indexOf(neuron);
    const packed = first.columns[column];
    return rank < 0 || packed === undefined ? undefined : unpack(packed)[cluster * first.most + rank];
  }

  // The first neurons of a cluster, by falling score.
  function firstOf(cluster, most = Infinity) {
    const column = pregrad.chosen.aggregate;
    if (isWhole()) {
      const values = everywhere().map((neuron) => [neuron, value(column, neuron, cluster)])
        .filter(([, score]) => !Number.isNaN(score));
      return values.sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, most).map(([neuron]) => neuron);
    }
    const first = scores().first[column];
    return [...unpack(first.neurons).subarray(cluster * first.most, (cluster + 1) * first.most)]
      .filter((neuron) => neuron < pregrad.layer().neurons).slice(0, most);
  }

  const error = (neuron, cluster) => value(`${pregrad.chosen.aggregate}_error`, neuron, cluster);

  // By measure one number per cluster.
  const overview = (layer) => {
    const of = layer.scores.find((one) => one.method === pregrad.chosen.method)?.overview[pregrad.chosen.aggregate] ?? {};
    return Object.fromEntries(Object.entries(of).map(([name, packed]) => [name, unpack(packed)]));
  };

  return {unpack, everywhere, isWhole, value, error, firstOf, overview, has: () => scores() !== undefined};
})();
