// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** NVIDIA's PTX assembler, where one is installed: judges PTX and says what each kernel takes. */
record Ptxas(Path program, String version) {
    private static final Pattern FACTS = Pattern.compile("(?s)Function properties for (\\w+)\\s+(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads"
            + ".*?Used (\\d+) registers([^\\n]*)");
    private static final Pattern SHARED = Pattern.compile("(\\d+) bytes smem");
    private static final Pattern RELEASE = Pattern.compile("release [\\d.]+, V([\\d.]+)");

    /** What one kernel takes: registers of a thread, static shared memory of a block, stack and spilled bytes of a thread. */
    record Use(int registers, int shared, int stack, int spills) {
        @Override
        public String toString() {
            return registers + " registers, " + shared + " bytes shared, " + stack + " stack, " + spills + " spilled";
        }
    }

    /** On the PATH, in CUDA_HOME, or where the toolkit is installed by default. */
    static Optional<Ptxas> find() throws IOException {
        List<Path> folders = new ArrayList<>();
        for (String folder : System.getenv().getOrDefault("PATH", "").split(":")) {
            folders.add(Path.of(folder));
        }
        folders.add(Path.of(System.getenv().getOrDefault("CUDA_HOME", "/usr/local/cuda"), "bin"));
        for (Path folder : folders) {
            Path program = folder.resolve("ptxas");
            if (Files.isExecutable(program)) {
                Matcher m = RELEASE.matcher(output(List.of(program.toString(), "--version")));
                return Optional.of(new Ptxas(program, m.find() ? m.group(1) : "unknown"));
            }
        }
        return Optional.empty();
    }

    /** What each kernel of a file takes on sm_80, by entry name; throws if it is refused. */
    Map<String, Use> check(Path ptx) throws IOException {
        Path binary = Files.createTempFile("tweedie", ".cubin");
        String log;
        try {
            log = output(List.of(program.toString(), "-v", "--gpu-name", "sm_80", "-o", binary.toString(), ptx.toString()));
        } catch (IOException e) {
            throw new IOException(ptx.getFileName() + ": ptxas refuses it: " + e.getMessage(), e);
        } finally {
            Files.deleteIfExists(binary);
        }
        Map<String, Use> uses = new TreeMap<>();
        for (Matcher m = FACTS.matcher(log); m.find();) {
            Matcher shared = SHARED.matcher(m.group(6));
            uses.put(m.group(1), new Use(Integer.parseInt(m.group(5)), shared.find() ? Integer.parseInt(shared.group(1)) : 0, Integer.parseInt(m.group(2)),
                    Integer.parseInt(m.group(3)) + Integer.parseInt(m.group(4))));
        }
        return uses;
    }

    private static String output(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes());
        try {
            int status = process.waitFor();
            if (status != 0) {
                throw new IOException("status " + status + ":\n" + out);
            }
            return out;
        } catch (InterruptedException e) {
            process.destroy();
            throw new IOException("interrupted", e);
        }
    }
}
