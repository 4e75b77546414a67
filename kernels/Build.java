// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Builds {@code <family>.ptx} of each {@code <family>.cu} and the table in README.md; README.md says how. */
public final class Build {
    static final List<String> OPTIONS = List.of("--gpu-architecture=compute_80", "--std=c++17");
    /** What drivers for CUDA 12.0 take; NVRTC 12.6 writes 8.5, which those before 12.5 refuse, and our kernels use nothing that came after 8.0. */
    private static final String OLDEST = "\n.version 8.0\n";

    private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"([^\"]+)\"");
    private static final Pattern OPTION_LINE = Pattern.compile("(?m)^/// options: (.*)$");
    /** Frames each assembly statement of the source: a seventh of the text of kernels that have many. */
    private static final Pattern REMARK = Pattern.compile("(?m)^\\s*// (begin|end) inline asm\n");
    private static final String USAGE = "usage: kernels/build [--table] [--nvrtc FILE] [FAMILY ...]\n  --table       compile nothing: only check the .ptx and rewrite the table\n"
            + "  --nvrtc FILE  the libnvrtc.so.12 of CUDA 12.6 to compile with";

    private final Path home;

    private Build(Path home) {
        this.home = home;
    }

    public static void main(String[] args) throws Exception {
        try {
            Build build = new Build(Path.of(System.getProperty("kernels", "kernels")));
            build.run(List.of(args));
        } catch (IllegalStateException | IllegalArgumentException | IOException e) {
            System.err.println("kernels/build: " + e.getMessage());
            System.exit(1);
        }
    }

    private void run(List<String> args) throws IOException {
        Path nvrtc = null;
        boolean compile = true;
        List<String> families = new ArrayList<>();
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            if (arg.equals("--nvrtc") && i + 1 < args.size()) {
                nvrtc = Path.of(args.get(++i));
            } else if (arg.equals("--table")) {
                compile = false;
            } else if (arg.startsWith("-")) {
                throw new IllegalArgumentException("'" + arg + "': unknown\n" + USAGE);
            } else {
                families.add(arg.replaceFirst("\\.cu$", "").replaceFirst("^kernels/", ""));
            }
        }
        if (families.isEmpty()) {
            families.addAll(families());
        }
        if (compile) {
            compile(families, new Nvrtc(nvrtc != null ? nvrtc : Nvrtc.find()));
        }
        check(families);
    }

    private List<String> families() throws IOException {
        try (var files = Files.list(home)) {
            return files.map(p -> p.getFileName().toString()).filter(n -> n.endsWith(".cu")).map(n -> n.substring(0, n.length() - 3)).sorted().toList();
        }
    }

    private void compile(List<String> families, Nvrtc nvrtc) throws IOException {
        if (!nvrtc.version().equals("12.6")) {
            throw new IllegalStateException("NVRTC: expected version 12.6, so that everybody builds the same text, got " + nvrtc.version());
        }
        for (String family : families) {
            String source = read(family + ".cu");
            Map<String, String> headers = headers(source);
            List<String> options = options(source);
            String ptx = nvrtc.compile(family + ".cu", source, headers, options);
            if (!ptx.contains("\n.version 8.5\n") || !ptx.contains(".target sm_80")) {
                throw new IllegalStateException(family + ".ptx: expected .version 8.5 and .target sm_80");
            }
            String older = REMARK.matcher(ptx).replaceAll("").strip().replace("\n.version 8.5\n", OLDEST); // ptxas checks that it needs no more
            Files.writeString(home.resolve(family + ".ptx"), head(family, source, headers, options) + older + "\n");
        }
    }

    /** ptxas must take each family, spill nothing; then the families' rows of the table are written anew. */
    private void check(List<String> families) throws IOException {
        Optional<Ptxas> ptxas = Ptxas.find();
        Map<String, String> tables = new TreeMap<>();
        for (String family : families) {
            Map<String, Ptxas.Use> uses = ptxas.isPresent() ? ptxas.get().check(home.resolve(family + ".ptx")) : Map.of();
            uses.forEach((entry, use) -> {
                System.out.println(family + ": " + entry + ": " + use);
                if (use.spills() > 0) {
                    throw new IllegalStateException(family + ": " + entry + " spills " + use.spills() + " bytes of registers; expected none");
                }
            });
            tables.put(family, KernelTable.of(read(family + ".cu"), read(family + ".ptx"), uses));
        }
        if (ptxas.isEmpty()) {
            System.err.println("kernels/build: no ptxas found: registers are not checked, and the table in README.md is left as it was");
            return;
        }
        Path readme = home.resolve("README.md");
        Files.writeString(readme, KernelTable.replace(Files.readString(readme), tables, families(), ptxas.get().version()));
    }

    private String read(String name) throws IOException {
        Path file = home.resolve(name);
        if (!Files.exists(file)) {
            throw new IllegalStateException(name + ": not found in kernels/");
        }
        return Files.readString(file);
    }

    /** What a source includes, and what that includes, by name. */
    private Map<String, String> headers(String source) throws IOException {
        Map<String, String> headers = new TreeMap<>();
        Deque<String> open = new ArrayDeque<>(List.of(source));
        while (!open.isEmpty()) {
            for (Matcher m = INCLUDE.matcher(open.pop()); m.find();) {
                if (!headers.containsKey(m.group(1))) {
                    headers.put(m.group(1), read(m.group(1)));
                    open.push(headers.get(m.group(1)));
                }
            }
        }
        return headers;
    }

    /** Everyone's, then those of the source's own "/// options:" line. */
    private static List<String> options(String source) {
        List<String> options = new ArrayList<>(OPTIONS);
        Matcher m = OPTION_LINE.matcher(source);
        if (m.find()) {
            options.addAll(List.of(m.group(1).strip().split("\\s+")));
        }
        return options;
    }

    private static String head(String family, String source, Map<String, String> headers, List<String> options) {
        return "// SPDX-License-Identifier: Apache-2.0\n// Built by kernels/build from " + family + ".cu; not to be edited.\n// options " + String.join(" ", options)
                + "\n// sha256 " + hash(source, headers, options) + "\n";
    }

    /** SHA-256 over the source, each header in order of name (its name, then its text), and the options; a zero byte after each. */
    static String hash(String source, Map<String, String> headers, List<String> options) {
        StringBuilder all = new StringBuilder(source).append('\0');
        headers.forEach((name, text) -> all.append(name).append('\0').append(text).append('\0'));
        all.append(String.join(" ", options)).append('\0');
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(all.toString().getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
