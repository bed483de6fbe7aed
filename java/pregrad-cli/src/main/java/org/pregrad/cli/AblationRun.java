package org.pregrad.cli;

import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.pregrad.Method;
import org.pregrad.Model;
import org.pregrad.Removal;
import org.pregrad.RemovalCurve;
import org.pregrad.Scores;
import org.pregrad.cli.options.PathOptions;
import org.pregrad.cli.options.ScoreOptions;
import org.pregrad.cli.output.CurveArea;
import org.pregrad.cli.output.Sanity;
import org.pregrad.cli.output.UnfinishedRun;
import org.pregrad.cli.progress.Progress;
import org.pregrad.cli.run.Checkpoint;
import org.pregrad.cli.run.CurveRun;
import org.pregrad.cli.run.CurveUnit;
import org.pregrad.cli.run.Samples;
import org.pregrad.cli.run.Scorer;

/**
 * The long part of {@code ablate}: scores, then curves.
 *
 * @param scorer of the score data
 * @param tested the samples on which neurons are removed
 */
record AblationRun(Model model, Scorer scorer, Samples tested, Wanted wanted, Work work, boolean quiet) {
    /**
     * What is measured.
     *
     * @param methods  those with one order per aggregate
     * @param keep     whether neurons are also kept in these orders
     * @param sanity   whether scores are held against those of shuffled weights
     * @param clusters those of the tested samples
     */
    record Wanted(
            ScoreOptions scores,
            PathOptions paths,
            List<Method> methods,
            boolean keep,
            boolean sanity,
            int repeats,
            Set<Long> clusters) {}

    /** How many samples there are. */
    record Work(long scored, long tested) {}

    /** @param sanity null if not asked for */
    record Results(Scores scores, List<RemovalCurve> curves, List<CurveArea> areas, List<Sanity> sanity) {}

    /** Goes on with what {@code unfinished} has reached, and keeps in it what is reached. */
    Results results(UnfinishedRun unfinished) throws IOException, InterruptedException {
        Function<String, Checkpoint> checkpoints = name -> new Checkpoint(unfinished.state(name));
        Scorer.Scored scored = scorer.score("Scoring", work.scored(), quiet, checkpoints);
        List<CurveUnit> units = CurveUnit.of(
                scored.scores(),
                new CurveUnit.Wanted(
                        EnumSet.copyOf(wanted.methods()),
                        wanted.scores().aggregates(),
                        wanted.keep(),
                        wanted.repeats(),
                        wanted.paths().seed(),
                        wanted.clusters()));
        CurveRun run = new CurveRun(
                model,
                wanted.paths().removal(),
                wanted.paths().removal() == Removal.MEAN ? scored.means() : List.of(),
                wanted.scores().target());
        try (Progress progress = Progress.start("Removing", units.size() * work.tested(), quiet)) {
            List<RemovalCurve> curves = run.measure(units, tested, checkpoints, progress);
            return new Results(
                    scored.scores(),
                    curves,
                    CurveArea.of(curves, scored.scores()),
                    wanted.sanity() ? sanity(scored.scores(), checkpoints) : null);
        }
    }

    private List<Sanity> sanity(Scores scores, Function<String, Checkpoint> checkpoints)
            throws IOException, InterruptedException {
        try (Model shuffled = model.randomised(wanted.paths().seed())) {
            Scores others = scorer.of(shuffled)
                    .score(
                            "Scoring shuffled weights",
                            work.scored(),
                            quiet,
                            name -> checkpoints.apply("sanity-" + name))
                    .scores();
            return Sanity.of(scores, others, wanted.scores().aggregates());
        }
    }
}
