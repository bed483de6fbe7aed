package org.pregrad.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.pregrad.ModelInput;

class ModelTableTest {
    @Test
    void listsInputsAsFarAsTheFileTells() {
        assertThat(ModelTable.inputs(List.of(
                        new ModelInput("ids", "int64", List.of(-1L, 128L), false),
                        new ModelInput("batch.*", "", List.of(), true))))
                .isEqualTo("""

                    input    type   shape  optional
                    ids      int64  ?x128  false
                    batch.*                true
                    """);
    }

    @Test
    void listsOutputsInTheirOrder() {
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        shapes.put("logits", List.of(-1L, 5L, 3L));
        shapes.put("", List.of());
        assertThat(ModelTable.outputs(shapes)).isEqualTo("""

            output     shape
            logits     ?x5x3
            (unnamed)
            """);
    }
}
