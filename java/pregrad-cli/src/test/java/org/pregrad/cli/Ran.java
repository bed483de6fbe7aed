package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;

/** What a run of the command gave. */
record Ran(int code, String out, String err) {
    static Ran inProcess(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), arguments);
        return new Ran(code, out.toString(), err.toString());
    }

    /** Refused as what the user can mend: exit code 2, and one line on stderr alone. */
    void assertRefused(String... parts) {
        assertThat(err).startsWith("pregrad: ").endsWith("\n");
        assertThat(List.of(parts)).allSatisfy(part -> assertThat(err).contains(part));
        assertThat(err.lines()).hasSize(1);
        assertThat(out).isEmpty();
        assertThat(code).isEqualTo(2);
    }
}
