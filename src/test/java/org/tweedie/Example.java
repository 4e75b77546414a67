// SPDX-License-Identifier: Apache-2.0
package org.tweedie;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * A {@code java} block of a document, which is compiled and run without changes. A block that has a main method is a program;
 * any other block is a list of statements, for which the imports of {@code tweedie shell} are in effect. Its name is its
 * first line if that is a comment.
 *
 * @param line the line of the document at which the block's text begins
 */
record Example(Path document, int line, String text) {
    private static final Path IMPORTS = Path.of("src/main/shell/startup.jsh");
    private static final List<String> DEFAULTS = List.of("java.io", "java.math", "java.net", "java.nio.file", "java.util",
            "java.util.concurrent",
            "java.util.function", "java.util.stream");
    private static final Pattern BLOCK = Pattern.compile("(?m)^( *)```java *\\n(.*?)^ *``` *$", Pattern.DOTALL);
    private static final Pattern TYPE = Pattern.compile("(?m)^(?:public |final )*class (\\w+)");

    /** The exit code of a run and the text that it printed. */
    record Ran(int code, String out, String err) {}

    /** Returns the blocks of a document in their order. */
    static List<Example> of(Path document) throws IOException {
        String text = Files.readString(document);
        List<Example> found = new ArrayList<>();
        Matcher m = BLOCK.matcher(text);
        while (m.find()) {
            int line = (int) text.substring(0, m.start(2)).lines().count() + 1;
            found.add(new Example(document, line, m.group(2).replaceAll("(?m)^" + m.group(1), "")));
        }
        return found;
    }

    private boolean isProgram() {
        return text.contains("void main(");
    }

    /** Returns the name of the class that is run. */
    String type() {
        Matcher m = TYPE.matcher(text);
        return isProgram() && m.find() ? m.group(1) : "Line" + line;
    }

    /**
     * Returns the source to compile: the unchanged text, with statements wrapped in a main method. Line numbers keep their
     * distance to the block's first line.
     */
    String source() throws IOException {
        if (isProgram()) {
            return text;
        }
        StringBuilder head = new StringBuilder();
        DEFAULTS.forEach(p -> head.append("import ").append(p).append(".*; "));
        Files.readAllLines(IMPORTS).stream().filter(l -> l.startsWith("import ")).forEach(l -> head.append(l).append(' '));
        String body = text.lines().map(l -> {
            if (!l.startsWith("import ")) {
                return l;
            }
            head.append(l).append(' ');
            return "";
        }).collect(Collectors.joining("\n"));
        return head + "public class " + type() + " { public static void main(String[] args) throws Exception { " + body
                + "\n} }\n";
    }

    /** Compiles into a folder of class files; a failure names the document and its line. */
    void compile(Path into, String classPath) throws IOException {
        Path file = Files.writeString(Files.createDirectories(into).resolve(type() + ".java"), source());
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> said = new DiagnosticCollector<>();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(said, Locale.ROOT, null)) {
            boolean good = compiler.getTask(null, files, said, List.of("--release", "25", "-proc:none", "-d", into.toString(),
                    "-cp", classPath), null,
                    files.getJavaFileObjects(file)).call();
            String errors = said.getDiagnostics().stream().filter(d -> d.getKind() == Diagnostic.Kind.ERROR)
                    .map(d -> document + ":" + (line + d.getLineNumber() - 1) + ": " + d.getMessage(Locale.ROOT))
                    .collect(Collectors.joining("\n"));
            assertTrue(good, this + " does not compile\n" + errors);
        }
    }

    /** Compiles it, then runs it in a JVM of its own; checks that it succeeds. */
    Ran run(Path classes, String classPath, Path folder) throws IOException, InterruptedException {
        compile(classes, classPath);
        List<String> line = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules", "jdk.incubator.vector", "-Xmx2g", "-cp", classes + ":" + classPath, type()));
        Path out = Files.createTempFile(folder, "out", ".txt");
        Path err = Files.createTempFile(folder, "err", ".txt");
        int code = new ProcessBuilder(line).directory(folder.toFile()).redirectOutput(out.toFile()).redirectError(err.toFile())
                .start().waitFor();
        Ran ran = new Ran(code, Files.readString(out), Files.readString(err));
        Files.delete(out);
        Files.delete(err);
        assertEquals(0, code, this + " ended with exit code " + code + "\n" + ran.err);
        return ran;
    }

    @Override
    public String toString() {
        String first = text.lines().findFirst().orElse("").strip();
        return document + ":" + line + (first.startsWith("//") ? ", " + first.substring(2).strip() : "");
    }
}
