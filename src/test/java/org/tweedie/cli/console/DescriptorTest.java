// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Writes both streams into one file, as the launcher passes them on. */
class DescriptorTest {
    @TempDir
    Path folder;

    @Test
    void twoStreamsIntoOneFileKeepTheirOrder() throws Exception {
        Path java = Path.of(System.getProperty("java.home"), "bin/java");
        Path file = folder.resolve("f");
        Process p = new ProcessBuilder("bash", "-c", "echo before; \"$0\" --enable-native-access=ALL-UNNAMED -cp \"$1\" \"$2\" "
                + "3>&1; echo after", java.toString(),
                System.getProperty("java.class.path"), Both.class.getName()).redirectErrorStream(true).redirectOutput(
                file.toFile()).start();
        assertEquals(0, p.waitFor());
        assertEquals("before\nout 0\nerr 0, ü\nout 1\nerr 1, ü\nafter\n", Files.readString(file));
    }

    @Test
    void aDescriptorThatIsNotOpenIsAFault() {
        IOException e = assertThrows(IOException.class, () -> new Descriptor(9999).write(1));
        assertEquals("descriptor 9999 cannot be written to", e.getMessage());
    }

    static final class Both {
        public static void main(String[] args) {
            PrintStream err = new PrintStream(new Descriptor(3), true, StandardCharsets.UTF_8);
            for (int i = 0; i < 2; i++) {
                System.out.println("out " + i);
                err.println("err " + i + ", ü");
            }
        }
    }
}
