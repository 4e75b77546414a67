// SPDX-License-Identifier: Apache-2.0
package org.tweedie;

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
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.tweedie.device.Devices;
import org.tweedie.device.OpCase;
import org.tweedie.measure.Operators;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.op.Op;
import org.tweedie.solve.Solvers;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Vjp;

/** Rules of the house: which package may see which, licence lines, sizes, and that what can be asked for is tested and written down. */
class HouseTest {
    private static final String LICENCE = "SPDX-License-Identifier: Apache-2.0";
    private static final int MOST_LINES = 400;

    /** From the top down: a package may use those after it, never those before it. */
    private static final List<String> LAYERS = List.of("cli", "solve", "measure", "metrics", "diffusion", "profile", "model", "nn", "weights",
            "image", "device", "transform", "ptx", "program");

    private static final JavaClasses MAIN = new ClassFileImporter().importUrl(Program.class.getProtectionDomain().getCodeSource().getLocation());

    @Test
    void arrowsPointDown() {
        LayeredArchitecture rule = layeredArchitecture().consideringOnlyDependenciesInLayers().ensureAllClassesAreContainedInArchitecture();
        for (String layer : LAYERS) {
            rule = rule.layer(layer).definedBy("org.tweedie." + layer + "..");
        }
        for (int i = 0; i < LAYERS.size() - 1; i++) {
            rule = rule.whereLayer(LAYERS.get(i)).mayOnlyAccessLayers(LAYERS.subList(i + 1, LAYERS.size()).toArray(String[]::new));
        }
        rule.whereLayer(LAYERS.getLast()).mayNotAccessAnyLayer().check(MAIN);
    }

    @Test
    void solversKnowNeitherNetworksNorBackends() {
        noClasses().that().resideInAPackage("org.tweedie.solve..")
                .should().dependOnClassesThat().resideInAnyPackage("org.tweedie.model..", "org.tweedie.nn..", "org.tweedie.device.*..").check(MAIN);
    }

    @Test
    void networksKnowNoDevice() {
        noClasses().that().resideInAnyPackage("org.tweedie.model..", "org.tweedie.nn..")
                .should().dependOnClassesThat().resideInAPackage("org.tweedie.device..").check(MAIN);
    }

    @Test
    void onlyDevicesKnowsBackends() {
        for (String backend : List.of("org.tweedie.device.cpu..", "org.tweedie.device.reference..", "org.tweedie.device.sim..", "org.tweedie.device.cuda..")) {
            noClasses().that().resideOutsideOfPackage(backend).and().doNotHaveFullyQualifiedName(Devices.class.getName())
                    .should().dependOnClassesThat().resideInAPackage(backend).check(MAIN);
        }
    }

    /** The lowering for GPUs is the same whoever runs it; the machine knows nothing of tensors; the simulated device and `tweedie kernel` know it. */
    @Test
    void onlyTheSimulatorKnowsTheMachine() {
        noClasses().that().resideOutsideOfPackages("org.tweedie.device.sim..", "org.tweedie.ptx..").and().haveNameNotMatching("org\\.tweedie\\.cli\\.Kernel.*")
                .should().dependOnClassesThat().resideInAPackage("org.tweedie.ptx..").check(MAIN);
        noClasses().that().resideInAPackage("org.tweedie.ptx..")
                .should().dependOnClassesThat().resideInAnyPackage("org.tweedie.device..", "org.tweedie.program.op..").check(MAIN);
        noClasses().that().resideInAnyPackage("org.tweedie.device.cpu..", "org.tweedie.device.reference..")
                .should().dependOnClassesThat().resideInAPackage("org.tweedie.device.gpu..").check(MAIN);
    }

    /** Of the lowering for GPUs: what is launched, the kernels, which instructions one kernel does, and the plan, each above the one before. */
    @Test
    void roomsOfTheGpuLoweringAreInOrder() {
        List<String> rooms = Stream.of("launch", "kernel", "fusion", "plan").map(r -> "org.tweedie.device.gpu." + r + "..").toList();
        for (int i = 0; i < rooms.size() - 1; i++) {
            noClasses().that().resideInAPackage(rooms.get(i))
                    .should().dependOnClassesThat().resideInAnyPackage(rooms.subList(i + 1, rooms.size()).toArray(String[]::new)).check(MAIN);
        }
    }

    /** JCuda is the cuda device's alone, and so is the binding of cuDNN. */
    @Test
    void onlyTheCudaDeviceKnowsJcudaAndCudnn() {
        noClasses().that().resideOutsideOfPackage("org.tweedie.device.cuda..").should().dependOnClassesThat().resideInAPackage("jcuda..").check(MAIN);
        noClasses().that().resideOutsideOfPackages("org.tweedie.device.cuda..", "org.tweedie.device.cudnn..")
                .should().dependOnClassesThat().resideInAPackage("org.tweedie.device.cudnn..").check(MAIN);
    }

    /** What finds NVIDIA's libraries serves the command line and the device alike, and starts nothing of JCuda by being loaded itself. */
    @Test
    void nvidiaKnowsNoDeviceAndNotJcuda() {
        noClasses().that().resideInAPackage("org.tweedie.device.nvidia..")
                .should().dependOnClassesThat().resideInAnyPackage("jcuda..", "org.tweedie.program..", "org.tweedie.device", "org.tweedie.device.gpu..",
                        "org.tweedie.device.cpu..", "org.tweedie.device.sim..", "org.tweedie.device.reference..", "org.tweedie.device.cuda..", "org.tweedie.device.cudnn..").check(MAIN);
    }

    /** An op counts as tested where it stands in a case's program, its pull-back or its push-forward: all three run on every device. */
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
        Set<String> ops = Arrays.stream(Op.class.getPermittedSubclasses()).map(Class::getSimpleName).collect(Collectors.toCollection(TreeSet::new));
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
            String expected = name.endsWith(".java") || name.endsWith(".cu") ? "// " + LICENCE : name.endsWith(".py") ? "# " + LICENCE : null;
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
            assertTrue(lines <= MOST_LINES, p + ": " + lines + " lines, at most " + MOST_LINES + "; split it by what its parts do");
        }
    }

    /** docs/stsl.md has a table row for each operator and solver, docs/architecture.md one for each device. */
    @Test
    void whatCanBeAskedForIsWrittenDown() throws IOException {
        String method = Files.readString(Path.of("docs/stsl.md"));
        for (String task : Operators.EXAMPLES) {
            row("docs/stsl.md", method, task.replaceAll("(:[0-9.]+)+$", ""));
        }
        Solvers.NAMES.forEach(solver -> row("docs/stsl.md", method, solver));
        String architecture = Files.readString(Path.of("docs/architecture.md"));
        Devices.NAMES.forEach(device -> row("docs/architecture.md", architecture, device));
    }

    /** A row that begins with a name, or with its longer form as in {@code sr:FACTOR}. */
    private static void row(String file, String text, String name) {
        assertTrue(text.lines().anyMatch(l -> l.matches("\\| `" + name + "([:\\[].*)?` \\|.*")), file + ": no table row '| `" + name + "` | ...'");
    }

    private static List<Path> files(String end, String... folders) throws IOException {
        List<Path> found = new java.util.ArrayList<>();
        for (String folder : folders) {
            try (Stream<Path> all = Files.walk(Path.of(folder))) {
                all.filter(Files::isRegularFile).filter(p -> p.toString().endsWith(end) && !p.toString().contains("__pycache__")).forEach(found::add);
            }
        }
        return found;
    }
}
