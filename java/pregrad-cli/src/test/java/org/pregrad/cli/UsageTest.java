package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Options alone; no native library is loaded. */
class UsageTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | no command was given: use layers, attribute, explain, ablate, check, prune or report",
                "atribute | unknown command 'atribute', did you mean attribute?",
                "layers | missing required option: '--model=M.pt'",
                "layers --modle m.pt | unknown option '--modle', did you mean --model?",
                "layers --modle=m.pt | unknown option '--modle=m.pt', did you mean --model?",
                "layers --model m.pt --fromat csv | unknown option '--fromat', did you mean --format?",
                "layers --model m.pt extra | unknown argument 'extra'",
                "layers --model m.pt --format xml | unknown format 'xml': use one of table, csv, json",
                "layers --model m.pt --data d.npz --input-shape 1,2 | exclude each other",
                "layers --model m.pt --inputs x | give --data too",
                "layers --model m.pt --shared x | give --data too",
                "layers --model m.pt --data d.npz --inputs a,,b | '' is neither ARRAY nor INPUT=ARRAY",
                "layers --model m.pt --data d.npz --inputs =b | '=b' is neither ARRAY nor INPUT=ARRAY",
                "layers --model m.pt --data d.npz --at last | unknown option '--at'",
                "layers --model m.pt --input-shape 1,x | '1,x' is no shape",
                "layers --model m.pt --input-shape 0,3 | '0,3' is no shape",
                "layers --model m.pt --model n.pt | '--model' (M.pt) should be specified only once",
                "layers --model m.pt @more | unknown argument '@more'",
                "layers --model m.pt --threads 0 | '0' is no number from 1",
                "layers --model m.pt --device tpu | unknown device 'tpu': use cpu, cuda or cuda:N",
                "attribute --model m.pt --data d.npz --out o | missing required option: '--layer",
                "attribute --model m.pt --data d.npz --layer a --out o --method grad"
                        + " | unknown method 'grad': use one of gradient, gradient-x-preactivation",
                "attribute --model m.pt --data d.npz --layer a --out o --aggregate max | unknown aggregate 'max': use"
                        + " one of mean",
                "attribute --model m.pt --data d.npz --layer a --out o --target first | unknown target 'first': use"
                        + " label, predicted",
                "attribute --model m.pt --data d.npz --layer a --out o --at end | unknown positions 'end': use last,"
                        + " first, each, mean or",
                "ablate --model m.pt --data d.npz --layer a --out o --at 1.5 | unknown positions '1.5'",
                "check --model m.pt --data d.npz --layer a --class-axis last | 'last' is not an int",
                "attribute --model m.pt --data d.npz --layer a --out o --target 3-x | unknown target '3-x'",
                "attribute --model m.pt --data d.npz --layer a --out o --target -1 | target -1 is negative",
                "attribute --model m.pt --data d.npz --layer a --out o --output softmax | unknown output 'softmax':"
                        + " use one of logit",
                "attribute --model m.pt --data d.npz --layer a --out o --batch-size many | 'many' is no number from 1",
                "attribute --model m.pt --data d.npz --layer a --out o --batches-at-once 0 | '0' is no number from 1",
                "layers --model m.pt --batches-at-once 2 | unknown option '--batches-at-once'",
                "attribute --model m.pt --data d.npz --layer a --out o --steps 0 | '0' is no number from 1",
                "attribute --model m.pt --data d.npz --layer a --out o --rule simpson | unknown quadrature 'simpson'",
                "attribute --model m.pt --data d.npz --layer a --out o --removal half | unknown removal 'half': use one of"
                        + " zero, zero-preactivation, mean",
                "attribute --model m.pt --data d.npz --layer a --out o --seed x | 'x' is not a long",
                "attribute --model m.pt --data d.npz --layer a --sed 1 | unknown option '--sed'",
                "attribute --model m.pt --data d.npz --layer a --out o --repeats 2 | unknown option '--repeats'",
                "ablate --model m.pt --data d.npz --layer a | missing required option: '--out=DIR'",
                "ablate --model m.pt --data d.npz --layer a --out o --method grad | unknown method 'grad'",
                "ablate --model m.pt --data d.npz --layer a --out o --repeats 0 | '0' is no number from 1",
                "ablate --model m.pt --data d.npz --layer a --out o --scored s.npz | unknown option '--scored'",
                "check --model m.pt --data d.npz | missing required option: '--layer",
                "check --model m.pt --data d.npz --layer a --format csv | unknown format 'csv': use one of table, json",
                "check --model m.pt --data d.npz --layer a --samples 0 | '0' is no number from 1",
                "check --model m.pt --data d.npz --layer a --clusters c | unknown option '--clusters'",
                "check --model m.pt --data d.npz --layer a --method gradient | unknown option '--method'",
                "report | missing required option: '--from=DIR'",
                "report --form d | unknown option '--form', did you mean --from?",
            })
    void isRefusedInOneLineWithTheMend(String arguments, String message) {
        Ran ran = Ran.inProcess(arguments.isEmpty() ? new String[0] : arguments.split(" "));
        ran.assertRefused(message);
        assertThat(ran.err()).contains("--help");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--help | attribute",
                "layers --help | --input-shape",
                "attribute --help | gradient-x-preactivation, gradient-x-activation",
                "attribute --help | --no-report",
                "attribute --help | (default: 256)",
                "attribute --help | --no-cuda-graphs On a CUDA device, start each operation of a batch by itself.",
                "ablate --help | --no-cuda-graphs",
                "attribute --help | rms, std, cancellation (default: mean,",
                "attribute --help | (default: gauss-legendre)",
                "ablate --help | --score-data=S.npz",
                "ablate --help | removal curves: zero, zero-preactivation, mean (default: zero)",
                "ablate --help | same files",
                "check --help | --neurons=N",
                "check --help | --at=last|first|each|mean|N",
                "check --help | --multi-label",
                "attribute --help | --target=label|predicted|N|A-B|weights",
                "attribute --help | --mask=NAME",
                "ablate --help | --class-axis=N",
                "layers --help | --inputs=[INPUT=]ARRAY[,[INPUT=]ARRAY...]",
                "layers --help | --shared=INPUT[,INPUT...]",
                "check --help | a layer failed, and its verdict",
                "report --help | --from=DIR",
            })
    void isExplainedByHelp(String arguments, String part) {
        Ran ran = Ran.inProcess(arguments.split(" "));
        assertThat(ran.code()).isZero();
        assertThat(ran.err()).isEmpty();
        assertThat(ran.out()).contains("Exit codes:", "Examples:", "\n  2 ");
        // Where lines break is the terminal's matter.
        assertThat(ran.out().replaceAll("\\s+", " ")).contains(part);
        assertThat(ran.out().lines()).allMatch(line -> line.length() <= 80);
    }

    @Test
    void completesInAShell() {
        Ran ran = Ran.inProcess("generate-completion");
        assertThat(ran.code()).isZero();
        assertThat(ran.out()).contains("complete -F _complete_pregrad", "gradient-x-activation");
    }
}
