package org.pregrad;

import java.util.List;
import java.util.Objects;

/**
 * What the forward of a model takes, as far as its file tells.
 *
 * @param name what forward calls it; what is in a container is named after it: {@code batch.user}, {@code states.0}.
 *     {@code batch.*} stands for a dict whose names the file does not tell, {@code states.*} for a list of any length
 * @param type e.g. {@code float32} or {@code int64}; empty where the file does not tell
 * @param shape -1 for an axis of any size, batch axis first; empty where the file does not tell
 * @param optional whether it may be left out
 */
public record ModelInput(String name, String type, List<Long> shape, boolean optional) {
    /** Copies the list. */
    public ModelInput {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(type, "type");
        shape = List.copyOf(shape);
    }
}
