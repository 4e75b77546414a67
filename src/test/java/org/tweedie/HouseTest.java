// SPDX-License-Identifier: Apache-2.0
package org.tweedie;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.library.Architectures.LayeredArchitecture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.tweedie.device.Devices;
import org.tweedie.device.OpCase;
import org.tweedie.eval.Cell;
import org.tweedie.measure.OperatorFamily;
import org.tweedie.measure.Operators;
import org.tweedie.options.Implementations;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.op.Op;
import org.tweedie.sample.Samplers;
import org.tweedie.solve.Solvers;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Vjp;

/**
 * Checks the rules of the house: dependencies between packages, licence lines, sizes, and that each operator, solver and
 * device is tested and documented.
 */
public class HouseTest {
    private static final String LICENCE = "SPDX-License-Identifier: Apache-2.0";
    private static final int MOST_LINES = 400;
    private static final int MOST_FILES = 20;
    private static final int MOST_COLUMNS = 130;

    /**
     * The layers from the top down: a package may use those after it, never those before it. The public entry is org.tweedie
     * itself.
     */
    private static final List<String> LAYERS = List.of("cli", "workload", "entry", "eval", "solve", "inverse", "sample",
            "measure", "metrics", "diffusion", "profile", "model", "nn", "weights", "image", "device", "transform", "ptx",
            "program", "options");

    private static final JavaClasses MAIN = new ClassFileImporter().importUrl(Program.class.getProtectionDomain().getCodeSource()
            .getLocation());

    @Test
    void arrowsPointDown() {
        LayeredArchitecture rule = layeredArchitecture().consideringOnlyDependenciesInLayers()
                .ensureAllClassesAreContainedInArchitecture();
        for (String layer : LAYERS) {
            rule = rule.layer(layer).definedBy(layer.equals("entry") ? "org.tweedie" : "org.tweedie." + layer + "..");
        }
        for (int i = 0; i < LAYERS.size() - 1; i++) {
            rule = rule.whereLayer(LAYERS.get(i)).mayOnlyAccessLayers(LAYERS.subList(i + 1, LAYERS.size())
                    .toArray(String[]::new));
        }
        rule.whereLayer(LAYERS.getLast()).mayNotAccessAnyLayer().check(MAIN);
    }

    @Test
    void solversKnowNeitherNetworksNorBackends() {
        noClasses().that().resideInAnyPackage("org.tweedie.solve..", "org.tweedie.inverse..", "org.tweedie.sample..")
                .should().dependOnClassesThat().resideInAnyPackage("org.tweedie.model..", "org.tweedie.nn..",
                        "org.tweedie.device.*..").check(MAIN);
    }

    @Test
    void networksKnowNoDevice() {
        noClasses().that().resideInAnyPackage("org.tweedie.model..", "org.tweedie.nn..")
                .should().dependOnClassesThat().resideInAPackage("org.tweedie.device..").check(MAIN);
    }

    @Test
    void onlyDevicesKnowsBackends() {
        for (String backend : List.of("org.tweedie.device.cpu..", "org.tweedie.device.reference..", "org.tweedie.device.sim..",
                "org.tweedie.device.cuda..")) {
            noClasses().that().resideOutsideOfPackage(backend).and().doNotHaveFullyQualifiedName(Devices.class.getName())
                    .should().dependOnClassesThat().resideInAPackage(backend).check(MAIN);
        }
    }

    /**
     * Only the simulated device and `tweedie kernel` depend on the PTX machine. The machine does not depend on tensors, and
     * the devices that need no GPU kernels do not depend on the lowering for GPUs.
     */
    @Test
    void onlyTheSimulatorKnowsTheMachine() {
        noClasses().that().resideOutsideOfPackages("org.tweedie.device.sim..", "org.tweedie.ptx..").and()
                .haveNameNotMatching("org\\.tweedie\\.cli\\.Kernel.*")
                .should().dependOnClassesThat().resideInAPackage("org.tweedie.ptx..").check(MAIN);
        noClasses().that().resideInAPackage("org.tweedie.ptx..")
                .should().dependOnClassesThat().resideInAnyPackage("org.tweedie.device..", "org.tweedie.program.op..")
                .check(MAIN);
        noClasses().that().resideInAnyPackage("org.tweedie.device.cpu..", "org.tweedie.device.reference..")
                .should().dependOnClassesThat().resideInAPackage("org.tweedie.device.gpu..").check(MAIN);
    }

    /** Each list names the rooms of a package from the top down: a room may use those after it, never those before it. */
    @Test
    void arrowsBetweenRoomsPointDown() {
        rooms("org.tweedie.cli", "engine", "console");
        rooms("org.tweedie.ptx", "decode", "instruction", "execution", "launch", "text");
        rooms("org.tweedie.device.cpu", "loops", "onednn");
        rooms("org.tweedie.device.cuda", "driver");
        rooms("org.tweedie.device.cudnn", "engine", "graph", "binding");
        rooms("org.tweedie.device.gpu", "plan", "fusion", "kernel", "launch");
    }

    private static void rooms(String top, String... names) {
        String[] rooms = Stream.concat(Stream.of(top), Stream.of(names).map(n -> top + "." + n + "..")).toArray(String[]::new);
        for (int i = 1; i < rooms.length; i++) {
            noClasses().that().resideInAPackage(rooms[i]).should().dependOnClassesThat()
                    .resideInAnyPackage(Arrays.copyOf(rooms, i)).check(MAIN);
        }
    }

    /** The report uses no more of an evaluation than its cells, and an evaluation does not know that it is reported. */
    @Test
    void theReportKnowsOnlyCells() {
        noClasses().that().resideInAPackage("org.tweedie.eval.report..").should().dependOnClassesThat(
                resideInAPackage("org.tweedie.eval").and(not(belongToAnyOf(Cell.class)))).check(MAIN);
        noClasses().that().resideInAPackage("org.tweedie.eval").should().dependOnClassesThat()
                .resideInAPackage("org.tweedie.eval.report..").check(MAIN);
    }

    /** XChart is optional for users of the library, so only the report, which the command line uses, depends on it. */
    @Test
    void onlyTheReportDrawsCharts() {
        noClasses().that().resideOutsideOfPackage("org.tweedie.eval.report..").should().dependOnClassesThat()
                .resideInAPackage("org.knowm..").check(MAIN);
    }

    /** Only the cuda device uses JCuda and the binding of cuDNN. */
    @Test
    void onlyTheCudaDeviceKnowsJcudaAndCudnn() {
        noClasses().that().resideOutsideOfPackage("org.tweedie.device.cuda..").should().dependOnClassesThat()
                .resideInAPackage("jcuda..").check(MAIN);
        noClasses().that().resideOutsideOfPackages("org.tweedie.device.cuda..", "org.tweedie.device.cudnn..")
                .should().dependOnClassesThat().resideInAPackage("org.tweedie.device.cudnn..").check(MAIN);
    }

    /** The command line and the device both use the search for NVIDIA's libraries, so the search must not load JCuda. */
    @Test
    void nvidiaKnowsNoDeviceAndNotJcuda() {
        noClasses().that().resideInAPackage("org.tweedie.device.nvidia..")
                .should().dependOnClassesThat().resideInAnyPackage("jcuda..", "org.tweedie.program..", "org.tweedie.device",
                "org.tweedie.device.gpu..",
                        "org.tweedie.device.cpu..", "org.tweedie.device.sim..", "org.tweedie.device.reference..",
                        "org.tweedie.device.cuda..", "org.tweedie.device.cudnn..").check(MAIN);
    }

    /**
     * An op counts as tested if it is in a case's program, its pull-back or its push-forward, since all three run on every
     * device.
     */
    @Test
    void everyOpHasACase() {
        Set<String> tested = new TreeSet<>();
        OpCase.all().forEach(c -> {
            Program f = c.program(1);
            add(tested, f);
            for (int i = 0; i < c.active(); i++) {
                add(tested, Vjp.of(f, "y0", "x" + i));
                add(tested, Jvp.of(f, "x" + i, "y0"));
            }
        });
        Set<String> ops = Implementations.of(Op.class).stream().map(Class::getSimpleName)
                .collect(Collectors.toCollection(TreeSet::new));
        ops.removeAll(tested);
        assertEquals(Set.of(), ops, "ops without a line in OpCase");
    }

    private static void add(Set<String> names, Program p) {
        p.body().stream().map(Instr::op).map(op -> op.getClass().getSimpleName()).forEach(names::add);
    }

    @Test
    void everyFileStartsWithTheLicence() throws IOException {
        Set<Path> without = new HashSet<>();
        List<Path> files = files("", "src", "weights-tools", "bench", "kernels");
        for (Path p : files) {
            String name = p.toString();
            String expected = name.endsWith(".java") || name.endsWith(".cu") ? "// " + LICENCE : name.endsWith(".py")
                    ? "# " + LICENCE : null;
            if (expected != null && !Files.readAllLines(p).getFirst().equals(expected)) {
                without.add(p);
            }
        }
        assertTrue(files.size() > 100, "the files were looked for in the wrong place");
        assertEquals(Set.of(), without, "files whose first line is not the licence's");
    }

    @Test
    void noFileIsLong() throws IOException {
        List<Path> files = files(".java", "src/main");
        assertTrue(files.size() > 100, "the files were looked for in the wrong place");
        for (Path p : files) {
            int lines = Files.readAllLines(p).size();
            assertTrue(lines <= MOST_LINES, p + ": " + lines + " lines, at most " + MOST_LINES
                    + "; split it by what its parts do");
        }
    }

    /** The package-info of each package says in sentences what is in the package, and which packages may depend on it. */
    @Test
    void everyPackageSaysWhatIsInIt() throws IOException {
        Set<Path> packages = new TreeSet<>();
        files(".java", "src/main").forEach(p -> packages.add(p.getParent()));
        assertTrue(packages.size() > 20, "the packages were looked for in the wrong place");
        for (Path p : packages) {
            Path info = p.resolve("package-info.java");
            assertTrue(Files.exists(info), info + ": expected one that says what is in the package and what may depend on it");
            String text = Files.readString(info).replaceAll("(?s).*/\\*\\*(.*)\\*/.*", "$1").replaceAll("\\s*\\n \\*\\s*", " ");
            boolean says = text.matches("(?s).*\\b(use|uses|depend on|depends on)\\b.*")
                    && text.strip().split("\\.( |$)").length >= 2;
            assertTrue(says, info + ": expected two sentences or more, one of which says who may use the package, got:" + text);
        }
    }

    /** The classes that the benches import exist, although only the Maven profile bench compiles the benches. */
    @Test
    void benchesImportWhatIsThere() throws IOException {
        Set<String> without = new TreeSet<>();
        List<Path> files = files(".java", "src/bench");
        assertTrue(files.size() > 3, "the benches were looked for in the wrong place");
        for (Path p : files) {
            for (String line : Files.readAllLines(p)) {
                String type = line.startsWith("import org.tweedie.") ? line.substring("import ".length(), line.length() - 1) : "";
                Path source = Path.of(type.replace(".*", "").replace('.', '/') + (type.endsWith("*") ? "" : ".java"));
                Stream<String> roots = Stream.of("src/main/java", "src/test/java", "src/bench/java");
                if (!type.isEmpty() && roots.noneMatch(root -> Files.exists(Path.of(root).resolve(source)))) {
                    without.add(p + ": " + type);
                }
            }
        }
        assertEquals(Set.of(), without, "imports of what is not there");
    }

    /** The package program.op has a file for each op of the closed set, so it is larger. */
    @Test
    void noPackageIsLarge() throws IOException {
        Map<Path, Long> sizes = javaFiles("src/main/java").stream().filter(p -> !p.toString().contains("program/op/"))
                .collect(Collectors.groupingBy(Path::getParent, Collectors.counting()));
        sizes.values().removeIf(n -> n <= MOST_FILES);
        assertEquals(Map.of(), sizes, "packages of more than " + MOST_FILES + " files; split them into rooms");
    }

    @Test
    void fileNamesAreUnique() throws IOException {
        Map<String, Long> counts = javaFiles("src/main/java").stream().map(p -> p.getFileName().toString())
                .collect(Collectors.groupingBy(name -> name, TreeMap::new, Collectors.counting()));
        counts.values().removeIf(n -> n == 1);
        assertEquals(Map.of(), counts, "file names that several packages have; rename all but one");
    }

    @Test
    void noLineIsWide() throws IOException {
        Set<String> wide = new TreeSet<>();
        for (Path p : files(".java", "src")) {
            List<String> lines = Files.readAllLines(p);
            for (int i = 0; i < lines.size(); i++) {
                if (lines.get(i).length() > MOST_COLUMNS) {
                    wide.add(p + ":" + (i + 1));
                }
            }
        }
        assertEquals(Set.of(), wide, "lines of more than " + MOST_COLUMNS + " columns");
    }

    private static List<Path> javaFiles(String folder) throws IOException {
        return files(".java", folder).stream().filter(p -> !p.endsWith("package-info.java")).toList();
    }

    /** docs/stsl.md has a table row for each operator and solver, docs/architecture.md one for each device. */
    @Test
    void whatCanBeAskedForIsWrittenDown() throws IOException {
        String method = Files.readString(Path.of("docs/stsl.md"));
        for (OperatorFamily family : Operators.families()) {
            for (String task : family.grammar()) {
                assertTrue(method.lines().anyMatch(l -> l.startsWith("| `" + task + "` |")), "docs/stsl.md: no table row '| `"
                        + task + "` | ...'");
            }
        }
        Solvers.names().forEach(solver -> row("docs/stsl.md", method, solver));
        String architecture = Files.readString(Path.of("docs/architecture.md"));
        Devices.NAMES.forEach(device -> row("docs/architecture.md", architecture, device));
        String readme = Files.readString(Path.of("README.md"));
        List<String> tasks = Operators.families().stream().flatMap(f -> f.grammar().stream()).toList();
        for (String line : List.of("Tasks: " + quoted(tasks), "Solvers: " + quoted(Solvers.names()), "Samplers: "
                + quoted(Samplers.names()))) {
            assertTrue(readme.contains(line), "README.md lacks '" + line + "'");
        }
    }

    private static String quoted(List<String> names) {
        return names.stream().map(n -> "`" + n + "`").collect(Collectors.joining(", ")) + ".";
    }

    /** Checks that a table has a row that begins with a name, or with its longer form as in {@code sr:FACTOR}. */
    private static void row(String file, String text, String name) {
        assertTrue(text.lines().anyMatch(l -> l.matches("\\| `" + name + "([:\\[].*)?` \\|.*")), file + ": no table row '| `"
                + name + "` | ...'");
    }

    /** Returns the packages that users' programs see, from the pom's properties api.*; some of them may not exist yet. */
    public static Set<String> apiPackages() throws IOException {
        Set<String> packages = new TreeSet<>();
        Matcher m = Pattern.compile("<api\\.\\w+>(.*)</api\\.\\w+>").matcher(Files.readString(Path.of("pom.xml")));
        while (m.find()) {
            packages.addAll(List.of(m.group(1).split(":")));
        }
        assertTrue(packages.contains("org.tweedie.program"), "the pom's lists of packages: " + packages);
        return packages;
    }

    private static List<Path> files(String end, String... folders) throws IOException {
        List<Path> found = new java.util.ArrayList<>();
        for (String folder : folders) {
            try (Stream<Path> all = Files.walk(Path.of(folder))) {
                all.filter(Files::isRegularFile).filter(p -> p.toString().endsWith(end) && !p.toString().contains("__pycache__"))
                        .forEach(found::add);
            }
        }
        return found;
    }
}
