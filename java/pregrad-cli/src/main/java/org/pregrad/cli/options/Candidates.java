package org.pregrad.cli.options;

import java.util.ArrayList;
import java.util.Arrays;
import org.pregrad.Aggregate;
import org.pregrad.Method;
import org.pregrad.Output;
import org.pregrad.Quadrature;
import org.pregrad.Removal;
import org.pregrad.cli.output.CheckReport;
import org.pregrad.cli.output.LayerList;
import org.pregrad.cli.output.Words;

/** The words that options take, for help and completion. */
final class Candidates {
    private Candidates() {}

    static final class Methods extends ArrayList<String> {
        private static final long serialVersionUID = 1L;

        Methods() {
            super(Arrays.stream(Method.values()).map(Method::id).toList());
        }
    }

    static final class Outputs extends ArrayList<String> {
        private static final long serialVersionUID = 1L;

        Outputs() {
            super(Arrays.stream(Output.values()).map(Output::id).toList());
        }
    }

    static final class Aggregates extends ArrayList<String> {
        private static final long serialVersionUID = 1L;

        Aggregates() {
            super(Arrays.stream(Aggregate.values()).map(Aggregate::id).toList());
        }
    }

    static final class Formats extends ArrayList<String> {
        private static final long serialVersionUID = 1L;

        Formats() {
            super(Words.of(LayerList.Format.class));
        }
    }

    static final class Quadratures extends ArrayList<String> {
        private static final long serialVersionUID = 1L;

        Quadratures() {
            super(Arrays.stream(Quadrature.values()).map(Quadrature::id).toList());
        }
    }

    static final class Removals extends ArrayList<String> {
        private static final long serialVersionUID = 1L;

        Removals() {
            super(Arrays.stream(Removal.values()).map(Removal::id).toList());
        }
    }

    static final class CheckFormats extends ArrayList<String> {
        private static final long serialVersionUID = 1L;

        CheckFormats() {
            super(Words.of(CheckReport.Format.class));
        }
    }
}
