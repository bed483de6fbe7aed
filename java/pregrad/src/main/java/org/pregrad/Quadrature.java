package org.pregrad;

/** The rule by which path methods integrate over α in [0, 1]. The weights of each sum up to 1. */
public enum Quadrature {
    /** Exact for polynomials of degree 2·steps − 1. */
    GAUSS_LEGENDRE("gauss-legendre"),
    /** Evenly spaced points from 0 to 1, both included; at least 2 steps. */
    TRAPEZOID("trapezoid"),
    /** The middles of evenly spaced intervals. */
    MIDPOINT("midpoint");

    private final String id;

    Quadrature(String id) {
        this.id = id;
    }

    /** {@return the name used by the command, e.g. {@code gauss-legendre}} */
    public String id() {
        return id;
    }

    /** {@return the same as {@link #id()}} */
    @Override
    public String toString() {
        return id;
    }

    /**
     * {@return the quadrature of that name}
     *
     * @param id a name as {@link #id()} gives it
     * @throws ArgumentException if no quadrature has that name
     */
    public static Quadrature of(String id) {
        return Ids.find("quadrature", values(), Quadrature::id, id);
    }
}
