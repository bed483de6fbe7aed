package org.pregrad.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;
import org.pregrad.Attribution;
import org.pregrad.Escapes;
import org.pregrad.Explanation;
import org.pregrad.InputException;
import org.pregrad.Method;
import org.pregrad.Model;
import org.pregrad.Positions;
import org.pregrad.cli.data.Batch;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.options.BatchOption;
import org.pregrad.cli.options.Choices;
import org.pregrad.cli.options.DataOptions;
import org.pregrad.cli.options.LayersOption;
import org.pregrad.cli.options.ModelOptions;
import org.pregrad.cli.options.PathOptions;
import org.pregrad.cli.options.QuietOption;
import org.pregrad.cli.options.StandardOptions;
import org.pregrad.cli.options.TargetOptions;
import org.pregrad.cli.output.ExplainCsv;
import org.pregrad.cli.output.Json;
import org.pregrad.cli.output.OutputDirectory;
import org.pregrad.cli.output.OutputTransaction;
import org.pregrad.cli.output.Summary;
import org.pregrad.cli.progress.Progress;
import org.pregrad.cli.run.DeviceNotes;
import org.pregrad.cli.run.ReadOutput;
import org.pregrad.cli.run.Samples;
import org.pregrad.cli.run.Scorer;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code pregrad explain}. */
@Command(
        name = "explain",
        customSynopsis = {
            "pregrad explain --model M.pt --data D.npz --layer NAME[@CALL]...",
            "                       [--method METHOD...] [--samples ROWS] [--top K] --out DIR",
            "                       [OPTIONS]"
        },
        description = "Tell for single samples which neurons of a layer, or which inputs, matter.",
        footer = {
            "DIR/explain.csv has for each sample, layer, call and method the K neurons of the largest magnitudes, the"
                    + " largest first, with the columns sample (the row of the data), layer, call, method, neuron and"
                    + " score; of equal ones the lower number is first. DIR/summary.json says what was run on what. The"
                    + " centred method takes the mean activations of all samples of the data, as a mean baseline does.",
            "",
            "Examples:",
            "  pregrad explain --model cnn.pt --data digits.npz --layer relu@1 --out DIR",
            "  pregrad explain --model cnn.pt --data digits.npz --layer input:x \\",
            "      --method gradient-x-activation --positions each --samples 3,17 --out DIR",
            "  pregrad explain --model bert.pt2 --data reviews.npz --layer input:input_ids \\",
            "      --method integrated-gradients --target predicted --top 20 --out DIR"
        })
final class ExplainCommand implements Callable<Integer> {
    @Mixin
    private ModelOptions model;

    @Mixin
    private DataOptions data;

    @Mixin
    private LayersOption layers;

    @Mixin
    private TargetOptions target;

    @Option(
            names = "--method",
            arity = "1..*",
            split = ",",
            defaultValue = "gradient",
            paramLabel = "METHOD",
            description =
                    "What is computed per sample and neuron: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}). May"
                            + " be repeated.")
    private List<Method> methods;

    @Option(
            names = "--positions",
            defaultValue = "together",
            paramLabel = "POSITIONS",
            description = "Whether a layer's positions (tokens, pixels) have values ${COMPLETION-CANDIDATES} (default:"
                    + " ${DEFAULT-VALUE}). With each, explain.csv has a column position, and a row is a neuron at a"
                    + " position.")
    private Positions positions;

    @Option(
            names = "--samples",
            paramLabel = "ROWS",
            converter = Rows.Converter.class,
            description = "Which samples, by their rows in the data from 0: 3,17 or 0-9,40 (default: all).")
    private Rows rows;

    @Option(
            names = "--top",
            defaultValue = "10",
            paramLabel = "K",
            converter = Choices.Positive.class,
            description = "How many neurons are told of each sample, layer, call and method, the strongest (default:"
                    + " ${DEFAULT-VALUE}).")
    private int top;

    @Mixin
    private PathOptions paths;

    @Mixin
    private BatchOption batch;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "The directory for the results; created if missing. Its files appear whole or not at all.")
    private Path out;

    @Mixin
    private QuietOption quiet;

    @SuppressWarnings("UnusedVariable")
    @Mixin
    private StandardOptions standard;

    @Spec
    private CommandSpec spec;

    /** The rows of the data that are asked for. */
    record Rows(List<Long> rising) {
        /** Reads {@code 3,17} and {@code 0-9}. */
        static final class Converter implements ITypeConverter<Rows> {
            private static final int MOST = 1_000_000;

            @Override
            public Rows convert(String text) {
                TreeSet<Long> rows = new TreeSet<>();
                for (String part : text.split(",", -1)) {
                    if (!part.matches("\\d{1,15}(-\\d{1,15})?")) {
                        throw wrong(text);
                    }
                    long[] ends = Arrays.stream(part.split("-", -1))
                            .mapToLong(Long::parseLong)
                            .toArray();
                    long last = ends[ends.length - 1];
                    if (last < ends[0] || last - ends[0] >= MOST) {
                        throw wrong(text);
                    }
                    LongStream.rangeClosed(ends[0], last).forEach(rows::add);
                }
                return new Rows(List.copyOf(rows));
            }

            private static TypeConversionException wrong(String text) {
                return new TypeConversionException("'" + text
                        + "' is no list of rows: give numbers from 0 such as 3,17 or a range of up to " + MOST
                        + " such as 0-9");
            }
        }
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        OutputDirectory directory = new OutputDirectory(out);
        directory.checkWritable(ExplainCsv.FILE, Summary.FILE);
        try (Model loaded = model.load();
                Dataset samples = open(loaded)) {
            samples.checkBatchSize(batch.size());
            checkRows(samples.samples());
            ReadOutput.checkLabels(loaded, () -> open(loaded), batch.size(), target);
            Samples passes = new Samples(() -> open(loaded), batch.size(), 1, new DeviceNotes(quiet::hint));
            Scorer scorer = new Scorer(
                    loaded,
                    new Scorer.Wanted(layers.names(), target, positions, false),
                    paths,
                    Choices.distinct(methods),
                    passes);
            Summary.OfExplanation summary = RunOrigin.of(
                            spec.commandLine(), options(samples), model.file(), data.file(), null, samples.samples())
                    .explanation();
            try (Attribution attribution = scorer.explaining(samples.samples(), quiet.isSet());
                    OutputTransaction transaction = directory.begin()) {
                String[] table = new String[1];
                transaction.write(ExplainCsv.FILE, text -> {
                    ExplainCsv csv = new ExplainCsv(text, top);
                    explain(attribution, samples, csv);
                    table[0] = csv.table();
                });
                transaction.write(Summary.FILE, text -> Json.write(summary, text));
                transaction.commit();
                tell(table[0]);
            }
        }
        return 0;
    }

    private Dataset open(Model loaded) {
        Dataset opened = data.open(loaded, target.needed());
        String corrupt = paths.corruptFor(Choices.distinct(methods));
        return corrupt == null ? opened : opened.withCorrupt(corrupt);
    }

    private void checkRows(long samples) {
        if (rows != null && rows.rising().get(rows.rising().size() - 1) >= samples) {
            throw new UserException(
                    "--samples " + rows.rising().get(rows.rising().size() - 1) + ": data file " + data.file() + " has "
                            + samples + " samples; give rows from 0 to " + (samples - 1));
        }
    }

    /** Explains the samples in the order of their rows. */
    private void explain(Attribution attribution, Dataset samples, ExplainCsv csv) throws IOException {
        long count = rows == null ? samples.samples() : rows.rising().size();
        try (Progress progress = Progress.start("Explaining", count, quiet.isSet())) {
            long next = 0;
            for (int i = 0; i < count; ) {
                long first = rows == null ? next : rows.rising().get(i);
                for (; next < first; next += skipped(samples, first - next)) {
                    // Rows that nobody asked for.
                }
                int run = following(i, count);
                Batch read = samples.next(run);
                csv.write(first, explained(attribution, read));
                progress.add(read.samples());
                next += run;
                i += run;
            }
        }
    }

    private long skipped(Dataset samples, long most) {
        return samples.next((int) Math.min(most, batch.size())).samples();
    }

    /** How many of the wanted rows follow each other from the i-th on, within a batch. */
    private int following(int i, long count) {
        int most = (int) Math.min(batch.size(), count - i);
        int run = 1;
        while (run < most
                && (rows == null || rows.rising().get(i + run) == rows.rising().get(i) + run)) {
            run++;
        }
        return run;
    }

    private List<Explanation> explained(Attribution attribution, Batch read) {
        try {
            return attribution.explain(read.inputsWithCorrupt(), read.targets());
        } catch (InputException e) {
            // The core counts samples from the batch's start.
            throw read.first() == 0
                    ? e
                    : new UserException(e.getMessage() + " (counted from sample " + read.first() + ")", e);
        }
    }

    private Map<String, Object> options(Dataset samples) {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("layers", layers.names());
        options.put(
                "methods", Choices.distinct(methods).stream().map(Method::id).toList());
        options.putAll(target.described());
        Map<String, Object> read = new LinkedHashMap<>(samples.read());
        read.remove("clusters");
        options.putAll(read);
        options.putAll(RunOrigin.paths(paths));
        options.putAll(paths.described(Choices.distinct(methods)));
        if (positions != Positions.TOGETHER) {
            options.put("positions", positions.id());
        }
        if (rows != null) {
            options.put("rows", rows.rising());
        }
        options.put("top", top);
        options.put("batch_size", batch.size());
        options.put("device", model.device().toString());
        options.put("threads", model.threads());
        return options;
    }

    private void tell(String table) {
        if (quiet.isSet()) {
            return;
        }
        var to = spec.commandLine().getOut();
        to.print(table);
        to.println("Values:  " + Escapes.visible(out.resolve(ExplainCsv.FILE).toString()));
        to.println("Summary: " + Escapes.visible(out.resolve(Summary.FILE).toString()));
        to.flush();
    }
}
