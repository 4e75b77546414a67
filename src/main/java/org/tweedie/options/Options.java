// SPDX-License-Identifier: Apache-2.0
package org.tweedie.options;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The options that a record declares; makes records from the values of their options. */
public final class Options<R> {
    private final Class<? extends R> type;
    private final Constructor<? extends R> constructor;
    private final List<OptionSpec> specs;

    private Options(Class<? extends R> type) {
        this.type = type;
        try {
            specs = Arrays.stream(type.getRecordComponents()).map(OptionSpec::of).toList();
            constructor = type.getDeclaredConstructor(specs.stream().map(OptionSpec::type).toArray(Class<?>[]::new));
        } catch (NoSuchMethodException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Returns the options of a record.
     *
     * @throws IllegalStateException when the class is not a record whose components all have {@link Option}
     */
    public static <R> Options<R> of(Class<? extends R> record) {
        if (!record.isRecord()) {
            throw new IllegalStateException(record.getName() + ": expected a record whose components are its options");
        }
        return new Options<>(record);
    }

    /**
     * Checks each component against its declared range; compact constructors call this.
     *
     * @throws IllegalArgumentException naming the option
     */
    public static void check(Class<? extends Record> type, Object... components) {
        List<OptionSpec> specs = Arrays.stream(type.getRecordComponents()).map(OptionSpec::of).toList();
        for (int i = 0; i < specs.size(); i++) {
            specs.get(i).checked(components[i]);
        }
    }

    /** The options, in the order of the components. */
    public List<OptionSpec> specs() {
        return specs;
    }

    /** The names of the options, in the order of the components. */
    public List<String> names() {
        return specs.stream().map(OptionSpec::name).toList();
    }

    /** The name, text and source of the record. */
    public Described described() {
        return type.getAnnotation(Described.class);
    }

    /** The defaults that hold for one task only, in the order in which they are declared. */
    public List<ForTask> forTasks() {
        return List.of(type.getAnnotationsByType(ForTask.class));
    }

    /** Returns the defaults that are particular to a task, for example {@code sr:4}; empty if there are none. */
    public Map<String, String> forTask(String task) {
        Map<String, String> values = new LinkedHashMap<>();
        for (ForTask f : forTasks()) {
            if (task.equals(f.task()) || task.startsWith(f.task() + ":")) {
                values.putAll(Catalogue.assignments(f.options()));
            }
        }
        return values;
    }

    /**
     * Makes the record; options that are not given have their defaults.
     *
     * @throws IllegalArgumentException when an option is unknown, or its value has the wrong type or is out of range
     */
    public R make(Map<String, String> given) {
        String what = described() == null ? type.getSimpleName() : described().name();
        given.keySet().forEach(name -> Spelling.check(what + ": option", name, names()));
        Object[] arguments = specs.stream().map(s -> s.parse(given.getOrDefault(s.name(), s.defaultText()))).toArray();
        try {
            constructor.setAccessible(true);
            return constructor.newInstance(arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause() instanceof RuntimeException r ? r : new IllegalStateException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns the value of each option by the option's name, as a user would write it. */
    public Map<String, String> values(Object record) {
        Map<String, String> values = new LinkedHashMap<>();
        for (OptionSpec s : specs) {
            try {
                s.component().getAccessor().setAccessible(true);
                values.put(s.name(), s.text(s.component().getAccessor().invoke(record)));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }
        return values;
    }
}
