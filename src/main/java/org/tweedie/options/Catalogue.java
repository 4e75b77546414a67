// SPDX-License-Identifier: Apache-2.0
package org.tweedie.options;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * The records of a seam's package that implement it, by name. Users write {@code NAME} or
 * {@code NAME:OPTION=VALUE,OPTION=VALUE}; a boolean option without a value is true. A value that contains commas is put in
 * square brackets.
 */
public final class Catalogue<S> {
    private static final Map<Class<?>, Catalogue<?>> ALL = new ConcurrentHashMap<>();

    private final Class<S> seam;
    private final Map<String, Options<S>> byName = new TreeMap<>();

    private Catalogue(Class<S> seam) {
        this.seam = seam;
        for (Class<? extends S> c : Implementations.of(seam)) {
            Described d = c.getAnnotation(Described.class);
            if (d != null) {
                byName.put(d.name(), Options.of(c));
            }
        }
    }

    /** Returns the catalogue of a seam, which is made at the first call. */
    @SuppressWarnings("unchecked")
    public static <S> Catalogue<S> of(Class<S> seam) {
        Catalogue<?> known = ALL.get(seam);
        if (known == null) {
            known = new Catalogue<>(seam); // computeIfAbsent would fail here, since an option may be a seam itself
            ALL.put(seam, known);
        }
        return (Catalogue<S>) known;
    }

    /** The names, in alphabetical order. */
    public List<String> names() {
        return List.copyOf(byName.keySet());
    }

    /**
     * Returns the options of a record.
     *
     * @throws IllegalArgumentException when there is no such name; the message lists the known names
     */
    public Options<S> options(String name) {
        return byName.get(Spelling.check(seam.getSimpleName().toLowerCase(Locale.ROOT), name, byName.keySet()));
    }

    /**
     * Makes the record of a name; options that are not given have their defaults.
     *
     * @throws IllegalArgumentException as {@link Options#make}
     */
    public S make(String name, Map<String, String> given) {
        return options(name).make(given);
    }

    /**
     * Makes the record of a name for a task; options that are not given have the defaults of the task ({@link ForTask}), or
     * else their own.
     */
    public S make(String name, Map<String, String> given, String task) {
        Options<S> options = options(name);
        Map<String, String> values = options.forTask(task);
        values.putAll(given);
        return options.make(values);
    }

    /** Reads {@code NAME[:OPTION=VALUE,...]}. @throws IllegalArgumentException with one line that says what is wrong */
    public S parse(String spec) {
        return parse(spec, "");
    }

    /** Reads {@code NAME[:OPTION=VALUE,...]} for a task, whose defaults hold for the options that are not given. */
    public S parse(String spec, String task) {
        String s = spec.startsWith("[") && spec.endsWith("]") ? spec.substring(1, spec.length() - 1) : spec;
        int colon = s.indexOf(':');
        return make(colon < 0 ? s : s.substring(0, colon), colon < 0 ? Map.of() : assignments(s.substring(colon + 1)), task);
    }

    /** Reads {@code OPTION=VALUE,...}. */
    static Map<String, String> assignments(String s) {
        Map<String, String> given = new LinkedHashMap<>();
        for (String word : split(s)) {
            int equals = word.indexOf('=');
            given.put(equals < 0 ? word : word.substring(0, equals), equals < 0 ? "true" : word.substring(equals + 1));
        }
        return given;
    }

    /** Splits a text at the commas that are outside of brackets. */
    private static List<String> split(String s) {
        return List.of(s.split(",(?![^\\[]*\\])"));
    }

    /** Returns the name of a record of this catalogue, or the simple name of the class for any other implementation. */
    public String name(Object record) {
        Described d = record.getClass().getAnnotation(Described.class);
        return d == null ? record.getClass().getSimpleName() : d.name();
    }

    /**
     * Returns the text that {@link #parse} reads as this record: its name and the options that differ from their defaults.
     */
    public String spec(Object record) {
        if (!byName.containsKey(name(record))) {
            return name(record);
        }
        Options<S> options = byName.get(name(record));
        Map<String, String> defaults = options.values(options.make(Map.of()));
        String changed = options.values(record).entrySet().stream().filter(e -> !e.getValue().equals(defaults.get(e.getKey())))
                .map(e -> e.getKey() + "=" + (e.getValue().contains(",") ? "[" + e.getValue() + "]" : e.getValue()))
                .collect(Collectors.joining(","));
        return name(record) + (changed.isEmpty() ? "" : ":" + changed);
    }
}
