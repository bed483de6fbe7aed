package org.pregrad.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.pregrad.ArgumentException;

/** One array of a file: its type and shape, then its elements from front to back. */
public abstract class ArrayReader implements Closeable {
    private final Path file;
    private final String name;
    private final ElementType type;
    private final List<Long> shape;
    private final boolean fortran;
    private long left;

    /** @param fortran whether the first axis varies fastest */
    ArrayReader(Path file, String name, ElementType type, List<Long> shape, boolean fortran) {
        this.file = file;
        this.name = name;
        this.type = type;
        this.shape = shape;
        this.fortran = fortran;
        this.left = elements();
    }

    /** {@return the array's name} */
    public final String name() {
        return name;
    }

    /** {@return the type of the elements} */
    public final ElementType type() {
        return type;
    }

    /** {@return the sizes of the axes; of none for a scalar} */
    public final List<Long> shape() {
        return shape;
    }

    /** {@return whether the elements come with the first axis varying fastest, as Fortran has it, rather than the last} */
    public final boolean fortran() {
        return fortran;
    }

    /** {@return the number of elements, the product of all axes} */
    public final long elements() {
        return product(shape, 0);
    }

    /** {@return the elements of one sample, the product of all axes but the first} */
    public final long elementsPerSample() {
        return product(shape, 1);
    }

    /** {@return the shape in words, e.g. {@code 1797x64}} */
    public final String shapeInWords() {
        return inWords(shape);
    }

    /**
     * {@return a shape in words, e.g. {@code 1797x64}}
     *
     * @param shape sizes of axes
     */
    public static String inWords(List<Long> shape) {
        return shape.isEmpty() ? "scalar" : shape.stream().map(String::valueOf).collect(Collectors.joining("x"));
    }

    /**
     * Lets more or fewer buffers of {@link #next} be valid at a time; call it before the first of them.
     *
     * @param buffersAtOnce how many, the newest included; at first 2
     */
    public abstract void keep(int buffersAtOnce);

    /**
     * {@return the next elements: a direct buffer in the machine's byte order that begins at position 0 and at a multiple of
     * 64 bytes} It stays valid until the next but one call, unless {@link #keep} says otherwise; then its memory is used
     * again.
     *
     * @param elements how many, at most those that are left, and of less than 2 GiB
     * @throws ArgumentException if so many are not left or do not fit into one buffer, or they are text
     * @throws ArrayFileException if the file turns out to be damaged
     * @throws IOException if the file cannot be read any more
     */
    public final ByteBuffer next(int elements) throws IOException {
        if (type == ElementType.TEXT) {
            throw new ArgumentException("array '" + name + "' holds text: ask for texts");
        }
        return next(elements, type.size());
    }

    /**
     * {@return the next elements of an array of text}
     *
     * @param elements how many, at most those that are left, and of less than 2 GiB
     * @throws ArgumentException if so many are not left or do not fit into one buffer, or they are no text
     * @throws ArrayFileException if the file turns out to be damaged, or an element is no text
     * @throws IOException if the file cannot be read any more
     */
    public final List<String> texts(int elements) throws IOException {
        if (type != ElementType.TEXT) {
            throw new ArgumentException("array '" + name + "' holds " + type.id() + ", no text: ask for next");
        }
        try {
            return texts(next(elements, elementSize()), elements);
        } catch (ArrayFileException e) {
            throw e.in(file);
        }
    }

    private ByteBuffer next(int elements, int size) throws IOException {
        long most = Math.min(left, Integer.MAX_VALUE / Math.max(1, size));
        if (elements < 0 || elements > most) {
            throw new ArgumentException("array '" + name + "' cannot give " + elements + " elements at once, of which "
                    + left + " are left: ask for 0 to " + most);
        }
        try {
            ByteBuffer next = read(elements);
            left -= elements;
            return next;
        } catch (ArrayFileException e) {
            throw e.in(file);
        }
    }

    /** Bytes of an element. */
    int elementSize() {
        return type.size();
    }

    /** The texts that the bytes of so many elements are. */
    List<String> texts(ByteBuffer bytes, int elements) {
        throw new ArrayFileException("array '" + name + "' is of a format without text; save it as .npz");
    }

    /** What {@link #next} gives; what it throws does not name the file. */
    abstract ByteBuffer read(int elements) throws IOException;

    /** @throws ArithmeticException if it is more than a long holds */
    static long product(List<Long> shape, int from) {
        long product = 1;
        for (int axis = from; axis < shape.size(); axis++) {
            product = Math.multiplyExact(product, shape.get(axis));
        }
        return product;
    }
}
