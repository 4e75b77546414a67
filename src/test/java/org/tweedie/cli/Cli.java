// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tweedie.image.Image;

/** The result of a command line that ran inside the test: its exit code and the text of its streams. */
record Cli(int code, String out, String err) {
    /** A tiny model with random weights for pictures whose sides are multiples of 16. */
    static final String TINY = "src/test/resources/golden/tiny-sd15";

    static Cli run(String... args) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream o = new ByteArrayOutputStream();
        ByteArrayOutputStream e = new ByteArrayOutputStream();
        System.setOut(new PrintStream(o, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(e, true, StandardCharsets.UTF_8));
        try {
            int code = Main.run(args);
            return new Cli(code, o.toString(StandardCharsets.UTF_8), e.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    /** Runs a command that must succeed and print no error. */
    static Cli succeed(String... args) {
        Cli c = run(args);
        assertEquals(0, c.code, c.err);
        return c;
    }

    /** Returns the words of the last line of standard output by their keys. */
    Map<String, String> words() {
        Map<String, String> words = new LinkedHashMap<>();
        for (String word : out.strip().substring(out.strip().lastIndexOf('\n') + 1).split(" ")) {
            words.put(word.substring(0, word.indexOf('=')), word.substring(word.indexOf('=') + 1));
        }
        return words;
    }

    /** Returns the one line of the error; checks that there is no result and no stack trace. */
    String fault(int expected) {
        assertEquals(expected, code, out + err);
        assertEquals("", out);
        assertFalse(err.contains("\tat "), err);
        String[] lines = err.strip().split("\n");
        return lines[lines.length - 1];
    }

    /** Makes a smooth picture with an edge. */
    static Image picture(int width, int height) {
        float[] data = new float[width * height * 3];
        for (int i = 0; i < data.length; i++) {
            int x = i / 3 % width;
            int y = i / 3 / width;
            data[i] = (float) Math.sin(0.3 * x + 0.2 * y + i % 3) * 0.4f + (x > width / 2 ? 0.4f : -0.4f);
        }
        return new Image(width, height, data);
    }

    /** Returns the path of a file in a test's folder as an argument. */
    static String in(Path folder, String name) {
        return folder.resolve(name).toString();
    }
}
