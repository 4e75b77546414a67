// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.tweedie.options.OptionSpec;
import org.tweedie.options.Options;
import org.tweedie.solve.Solver;
import org.tweedie.solve.Solvers;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.ISetter;

/**
 * The option --solver and, for the solver that it names, one option for each component of the solver's record. They are
 * declared before a command line is read, so that help, errors and defaults come from the solver itself.
 */
final class SolverOptions {
    private static final String DEFAULT = "stsl";

    /** A command that takes a solver. */
    interface Taker {
        SolverOptions solverOptions();
    }

    private final Map<String, String> given = new LinkedHashMap<>();
    private String name = DEFAULT;

    /** Returns the name of the solver that a command line gives, or the default. */
    static String named(String... args) {
        for (int i = 0; i < args.length; i++) {
            if (args[i].startsWith("--solver=")) {
                return args[i].substring("--solver=".length());
            }
            if (args[i].equals("--solver") && i + 1 < args.length) {
                return args[i + 1];
            }
        }
        return DEFAULT;
    }

    /** Declares --solver and the options of a solver. An unknown solver has no options; {@link #solver} reports it. */
    void declare(CommandSpec command, String solver) {
        command.addOption(picocli.CommandLine.Model.OptionSpec.builder("--solver").paramLabel("NAME").type(String.class)
                .description("The method that restores the picture: " + String.join(", ", Solvers.names()) + ". Default: "
                        + DEFAULT + ".")
                .setter(setter(value -> name = value)).build());
        if (!Solvers.names().contains(solver)) {
            return;
        }
        Options<Solver> options = Solvers.catalogue().options(solver);
        ArgGroupSpec.Builder group = ArgGroupSpec.builder().exclusive(false).multiplicity("0..1")
                .heading("%nOptions of the solver " + solver + " ("
                + options.described().source() + "); '--solver NAME --help' shows those of another:%n");
        for (OptionSpec o : options.specs()) {
            group.addArg(picocli.CommandLine.Model.OptionSpec.builder("--" + o.name()).paramLabel(label(o)).type(String.class)
                    .description(description(options, o)).setter(setter(value -> given.put(o.name(), value))).build());
        }
        command.addArgGroup(group.build());
    }

    private static ISetter setter(Consumer<String> to) {
        return new ISetter() {
            @Override
            public <T> T set(T value) {
                if (value != null) {
                    to.accept(value.toString());
                }
                return null;
            }
        };
    }

    private static String label(OptionSpec o) {
        return o.choices().isEmpty() ? o.type() == double.class ? "X" : "N" : "WORD";
    }

    private static String description(Options<Solver> options, OptionSpec o) {
        String symbol = o.declared().symbol().isEmpty() ? "" : o.declared().symbol() + ": ";
        String accepts = List.of("a number", "a whole number").contains(o.accepts()) ? "" : " Accepts " + o.accepts() + ".";
        String tasks = options.forTasks().stream().filter(f -> options.forTask(f.task()).containsKey(o.name()))
                .map(f -> "; for " + f.task() + " " + options.forTask(f.task()).get(o.name()) + " (" + f.source() + ")")
                .collect(Collectors.joining());
        return (symbol + o.text() + accepts + " Default: " + o.defaultText() + tasks + ".").replace("%", "%%");
    }

    /** The name of the solver. */
    String name() {
        return name;
    }

    /**
     * Makes the solver for a task; options that are not given have the defaults that hold for the task.
     *
     * @throws IllegalArgumentException when there is no such solver, or a value is out of its range
     */
    Solver solver(String task) {
        return Solvers.of(name, given, task);
    }

    /** Adds the solver's name and its options to the text. */
    static void describe(Solver solver, Map<String, String> text) {
        String name = Solvers.catalogue().name(solver);
        text.put("solver", name);
        text.putAll(Solvers.catalogue().options(name).values(solver));
    }

    /** Adds the solver's name and its whole-number options to the words of the line that ends a run. */
    static void words(Solver solver, Map<String, String> words) {
        String name = Solvers.catalogue().name(solver);
        Options<Solver> options = Solvers.catalogue().options(name);
        Map<String, String> values = options.values(solver);
        words.put("solver", name);
        options.specs().stream().filter(o -> o.type() == int.class).forEach(o -> words.put(o.name(), values.get(o.name())));
    }
}
