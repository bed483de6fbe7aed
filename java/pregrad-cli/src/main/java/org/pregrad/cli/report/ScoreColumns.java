package org.pregrad.cli.report;

import java.util.Map;

/**
 * The scores of one method for one cluster.
 *
 * @param count  samples
 * @param values by aggregate, one number per neuron, in the order of the file's columns
 */
record ScoreColumns(long count, Map<String, double[]> values) {}
