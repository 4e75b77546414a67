// SPDX-License-Identifier: Apache-2.0
package org.tweedie;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Checks that each example of a document compiles and runs as it is printed. */
class ExamplesTest {
    private static final Path SAMPLE = Path.of("src/test/resources/examples/sample.md");
    private static final List<Path> DOCUMENTS = List.of(SAMPLE, Path.of("README.md"), Path.of("docs/library.md"));

    private static final List<String> FOLDERS = List.of("weights-tools", "docs");

    @TempDir
    Path folder;

    @TestFactory
    Stream<DynamicTest> examplesRun() throws IOException {
        // Examples name the demo model and pictures by their paths in a checkout.
        for (String name : FOLDERS) {
            Files.createSymbolicLink(folder.resolve(name), Path.of(name).toAbsolutePath());
        }
        return DOCUMENTS.stream().flatMap(document -> {
            List<Example> examples = examples(document);
            assertFalse(examples.isEmpty(), document + ": no java block");
            return examples.stream();
        }).map(e -> DynamicTest.dynamicTest(e.toString(), () -> run(e)));
    }

    @AfterEach
    void removeLink() throws IOException {
        for (String name : FOLDERS) {
            Files.deleteIfExists(folder.resolve(name));
        }
    }

    private Example.Ran run(Example e) throws IOException, InterruptedException {
        return e.run(folder.resolve("classes"), System.getProperty("java.class.path"), folder);
    }

    private static List<Example> examples(Path document) {
        try {
            return Example.of(document);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void blocksAreFoundAndNamed() {
        assertEquals(List.of(SAMPLE + ":6, A tensor has a shape", SAMPLE + ":14, A program of one's own", SAMPLE + ":27"),
                examples(SAMPLE).stream().map(Example::toString).toList());
    }

    @Test
    void blocksPrintWhatTheySay() throws Exception {
        List<Example> all = examples(SAMPLE);
        assertEquals("[2,3]\n", run(all.get(0)).out());
        assertEquals("PT1M\n", run(all.get(1)).out());
        assertEquals("0\n1\n", run(all.get(2)).out());
    }

    @Test
    void anErrorNamesTheLineOfTheDocument() throws IOException {
        Path document = Files.writeString(folder.resolve("bad.md"),
                "# Bad\n\n```java\n// Bad\nimport java.time.Duration;\nint x = \"no\";\n```\n");
        AssertionError e = assertThrows(AssertionError.class, () -> run(examples(document).getFirst()));
        assertTrue(e.getMessage().startsWith(document + ":4, Bad does not compile\n" + document + ":6: incompatible types"),
                e.getMessage());
    }

    @Test
    void anExceptionIsAFailure() throws IOException {
        Path document = Files.writeString(folder.resolve("bad.md"), "```java\nthrow new IllegalStateException(\"gone\");\n```\n");
        AssertionError e = assertThrows(AssertionError.class, () -> run(examples(document).getFirst()));
        assertTrue(e.getMessage().contains("bad.md:2 ended with exit code 1") && e.getMessage().contains("gone"), e.getMessage());
    }
}
