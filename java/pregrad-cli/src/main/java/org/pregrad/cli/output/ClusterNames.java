package org.pregrad.cli.output;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/**
 * What the clusters of the data are called, where they are strings there: the library counts them from 0. The names of the
 * file that is read first come first, in alphabetical order. Without names a cluster is its number.
 */
public final class ClusterNames {
    private final List<String> names = new ArrayList<>();

    /** Whether clusters have names at all. */
    public synchronized boolean any() {
        return !names.isEmpty();
    }

    /** Takes in names; those that are known keep their numbers. */
    public synchronized void add(Collection<String> more) {
        TreeSet<String> added = new TreeSet<>(more);
        added.removeAll(names);
        names.addAll(added);
    }

    /** The number of a name; negative if it is none. */
    public synchronized long number(String name) {
        return names.indexOf(name);
    }

    /** The name of a number, in decimal where clusters have none. */
    public synchronized String name(long cluster) {
        return names.isEmpty() ? Long.toString(cluster) : names.get((int) cluster);
    }

    /** All names, by number. */
    public synchronized List<String> all() {
        return List.copyOf(names);
    }
}
