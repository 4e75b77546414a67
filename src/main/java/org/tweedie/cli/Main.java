// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tweedie.cli.console.Converters;
import org.tweedie.cli.console.Descriptor;
import org.tweedie.cli.console.Faults;
import org.tweedie.cli.console.Version;
import org.tweedie.measure.Operators;
import org.tweedie.options.Options;
import org.tweedie.sample.Sampler;
import org.tweedie.sample.Samplers;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine;

/** The command line. It prints results to standard output, and progress and errors (a line each) to standard error. */
@Command(name = "tweedie", versionProvider = Version.class, sortOptions = false, abbreviateSynopsis = true,
        synopsisSubcommandLabel = "COMMAND",
        description = "Restores degraded photographs with Stable Diffusion and STSL, in plain Java.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  tweedie demo",
            "  tweedie degrade photo.png --task sr:4 --sigma 0.01 --seed 1 -o y.png",
            "  tweedie restore y.png --model DIR --seed 1 -o restored.png",
            "  tweedie generate \"a photo of a dress\" --model DIR --seed 1 -o dress.png",
            "",
            "Exit codes: 0 when done, 1 after a failure, 2 after a mistake in the command line or its files. 'tweedie COMMAND "
                    + "--help' describes a command."})
public final class Main implements Runnable {
    private static final Map<String, Supplier<Object>> COMMANDS = new LinkedHashMap<>();

    static {
        COMMANDS.put("demo", Demo::new);
        COMMANDS.put("restore", Restore::new);
        COMMANDS.put("degrade", Degrade::new);
        COMMANDS.put("generate", Generate::new);
        COMMANDS.put("eval", Eval::new);
        COMMANDS.put(EvalWorker.NAME, EvalWorker::new);
        COMMANDS.put("report", Report::new);
        COMMANDS.put("plan", PlanNetworks::new);
        COMMANDS.put("profile", Profile::new);
        COMMANDS.put("run", RunNetwork::new);
        COMMANDS.put("kernel", Kernel::new);
        COMMANDS.put("inspect", Inspect::new);
        COMMANDS.put("doctor", Doctor::new);
    }

    @Spec
    private CommandSpec spec;

    @Option(names = {"-h", "--help"}, usageHelp = true, scope = ScopeType.INHERIT, description = "Show this help.")
    private boolean help;

    @Option(names = "--version", versionHelp = true, description = "Show the version.")
    private boolean version;

    @Option(names = "--stacktrace", scope = ScopeType.INHERIT, description = "Show the stack trace of an error.")
    private boolean stacktrace;

    public static void main(String[] args) {
        standardError();
        System.exit(run(args));
    }

    /** Runs one command. @return the exit code */
    public static int run(String... args) {
        Main main = new Main();
        CommandLine line = new CommandLine(main);
        boolean known = args.length > 0 && COMMANDS.containsKey(args[0]);
        COMMANDS.forEach((name, command) -> {
            // reading the options of all commands takes longer than the JVM takes to start
            if (known ? name.equals(args[0]) : !name.equals(EvalWorker.NAME)) {
                add(line, name, command.get(), args);
            }
        });
        Converters.register(line);
        line.setUsageHelpAutoWidth(false).setUsageHelpWidth(110);
        line.setParameterExceptionHandler((e, a) -> Faults.report(misuse(e), main.stacktrace));
        line.setExecutionExceptionHandler((e, c, r) -> Faults.report(e, main.stacktrace));
        return line.execute(args);
    }

    private static void add(CommandLine line, String name, Object command, String... args) {
        line.addSubcommand(name, command);
        CommandLine sub = line.getSubcommands().get(name);
        if (command instanceof SolverOptions.Taker t) {
            t.solverOptions().declare(sub.getCommandSpec(), SolverOptions.named(args));
        }
        UsageMessageSpec usage = sub.getCommandSpec().usageMessage();
        usage.description(Arrays.stream(usage.description()).flatMap(Main::filled).toArray(String[]::new));
    }

    /** Replaces the placeholders in a line of help by the lists of tasks and samplers that the code knows. */
    private static Stream<String> filled(String line) {
        return switch (line) {
            case "@tasks" -> Stream.concat(Stream.of("Tasks:"),
                    Operators.families().stream()
                    .map(f -> String.format("  %-60s %s", String.join(", ", f.grammar()), f.help())));
            case "@samplers" -> Stream.concat(Stream.of("Samplers:"), Samplers.names().stream().map(Main::sampler));
            default -> Stream.of(line);
        };
    }

    private static String sampler(String name) {
        Options<Sampler> o = Samplers.catalogue().options(name);
        String options = o.specs().stream().map(s -> s.name() + " (" + s.accepts() + "; default " + s.defaultText() + ")")
                .collect(Collectors.joining(", "));
        return "  " + name + ": " + o.described().text() + " Options: " + options + ".";
    }

    /** Bypasses the launcher's filter of the JVM's standard error: from here on nothing needs filtering. */
    private static void standardError() {
        String real = System.getProperty("tweedie.stderr");
        if (real != null) {
            System.setErr(new PrintStream(new Descriptor(Integer.parseInt(real)), true));
        }
    }

    private static IllegalArgumentException misuse(ParameterException e) {
        String command = e.getCommandLine().getCommandSpec().qualifiedName();
        return new IllegalArgumentException(Converters.message(e) + "; see '" + command + " --help'", e);
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "expected a command: " + String.join(", ", spec.subcommands().keySet()));
    }
}
