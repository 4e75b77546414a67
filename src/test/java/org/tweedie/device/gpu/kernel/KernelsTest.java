// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is committed in kernels/ agrees: sources, PTX and table. Needs no compiler; asks ptxas where one is installed. */
class KernelsTest {
    private static final Path HOME = Path.of("kernels");
    private static final String OPTIONS = "--gpu-architecture=compute_80 --std=c++17";
    private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"([^\"]+)\"");
    private static final Pattern ENTRY = Pattern.compile("(?m)^\\.visible \\.entry (\\w+)\\(");
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `(\\w+)` \\| .*? \\| (\\d+) \\| (\\d+) \\| (\\d+) \\| ");
    private static final Pattern USE = Pattern.compile("(?s)Function properties for (\\w+)\\s+\\d+ bytes stack frame, "
            + "(\\d+) bytes spill stores, "
            + "(\\d+) bytes spill loads"
            + ".*?Used (\\d+) registers([^\\n]*)");

    @Test
    void ptxIsThatOfItsSource() throws Exception {
        for (String family : families()) {
            String source = read(family + ".cu"), ptx = read(family + ".ptx");
            Matcher own = Pattern.compile("(?m)^/// options: (.*)$").matcher(source);
            String options = own.find() ? OPTIONS + " " + own.group(1).strip().replaceAll("\\s+", " ") : OPTIONS;
            assertEquals(hash(source, options), line(ptx, "// sha256 "), family + ".ptx is not that of " + family
                    + ".cu; run kernels/build " + family);
            assertEquals(options, line(ptx, "// options "), family);
        }
    }

    @Test
    void driversForCuda12TakeIt() throws IOException {
        for (String family : families()) {
            String ptx = read(family + ".ptx");
            assertTrue(Double.parseDouble(line(ptx, ".version ")) <= 8.0, family
                    + ".ptx is of a version that drivers for CUDA 12.0 refuse");
            assertEquals("sm_80", line(ptx, ".target "), family);
        }
    }

    @Test
    void everyKernelHasOneRow() throws IOException {
        List<String> rows = ROW.matcher(read("README.md")).results().map(m -> m.group(1)).sorted().toList();
        List<String> entries = new ArrayList<>();
        for (String family : families()) {
            ENTRY.matcher(read(family + ".ptx")).results().map(m -> m.group(1)).forEach(entries::add);
        }
        assertEquals(entries.stream().sorted().toList(), rows,
                "entry points and the rows of kernels/README.md; run kernels/build --table");
    }

    @Test
    void assemblerTakesItAndAgreesWithTheTable(@TempDir Path folder) throws Exception {
        Path ptxas = Arrays.stream(System.getenv("PATH").split(":")).map(p -> Path.of(p, "ptxas")).filter(Files::isExecutable)
                .findFirst().orElse(null);
        assumeTrue(ptxas != null, "no ptxas on the PATH");
        String readme = read("README.md");
        Matcher release = Pattern.compile("release [\\d.]+, V([\\d.]+)").matcher(output(ptxas.toString(), "--version"));
        boolean same = release.find() && readme.contains("from ptxas " + release.group(1) + " for sm_80");
        Map<String, String> rows = new TreeMap<>();
        ROW.matcher(readme).results().forEach(m -> rows.put(m.group(1), m.group(2) + " registers, " + m.group(3) + " shared"));
        for (String family : families()) {
            String log = output(ptxas.toString(), "-v", "--gpu-name", "sm_80", "-o", folder.resolve(family).toString(),
                    HOME.resolve(family + ".ptx").toString());
            List<String> seen = new ArrayList<>();
            for (Matcher m = USE.matcher(log); m.find();) {
                seen.add(m.group(1));
                assertEquals("0 0", m.group(2) + " " + m.group(3), m.group(1) + " spills registers");
                Matcher shared = Pattern.compile("(\\d+) bytes smem").matcher(m.group(5));
                if (same) {
                    assertEquals(rows.get(m.group(1)), m.group(4) + " registers, " + (shared.find() ? shared.group(1) : "0")
                            + " shared", m.group(1));
                }
            }
            assertEquals(ENTRY.matcher(read(family + ".ptx")).results().map(m -> m.group(1)).sorted().toList(), seen.stream()
                    .sorted().toList(), family);
        }
    }

    private static List<String> families() throws IOException {
        try (var files = Files.list(HOME)) {
            List<String> names = files.map(p -> p.getFileName().toString()).filter(n -> n.endsWith(".cu")).map(n ->
                    n.substring(0, n.length() - 3)).sorted().toList();
            assertTrue(names.size() > 1, "the kernels were looked for in the wrong place");
            return names;
        }
    }

    private static String read(String name) throws IOException {
        return Files.readString(HOME.resolve(name));
    }

    private static String line(String ptx, String start) {
        return ptx.lines().filter(l -> l.startsWith(start)).findFirst().map(l -> l.substring(start.length()).strip())
                .orElse("none");
    }

    /**
     * Hashes what kernels/README.md lists: the source, each header that it includes (its name, its text) in order of name, and
     * the options, with a zero byte after each.
     */
    private static String hash(String source, String options) throws Exception {
        Map<String, String> headers = new TreeMap<>();
        include(source, headers);
        StringBuilder all = new StringBuilder(source).append('\0');
        headers.forEach((name, text) -> all.append(name).append('\0').append(text).append('\0'));
        all.append(options).append('\0');
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(all.toString()
                .getBytes(StandardCharsets.UTF_8)));
    }

    private static void include(String source, Map<String, String> headers) throws IOException {
        for (Matcher m = INCLUDE.matcher(source); m.find();) {
            if (headers.putIfAbsent(m.group(1), read(m.group(1))) == null) {
                include(headers.get(m.group(1)), headers);
            }
        }
    }

    private static String output(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), String.join(" ", command) + ":\n" + out);
        return out;
    }
}
