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

/** A command line run inside of the test, its streams kept. */
record Cli(int code, String out, String err) {
    /** Random weights, pictures of multiples of 16. */
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

    /** Ran without complaint. */
    static Cli succeed(String... args) {
        Cli c = run(args);
        assertEquals(0, c.code, c.err);
        return c;
    }

    /** The last line of standard output, by its keys. */
    Map<String, String> words() {
        Map<String, String> words = new LinkedHashMap<>();
        for (String word : out.strip().substring(out.strip().lastIndexOf('\n') + 1).split(" ")) {
            words.put(word.substring(0, word.indexOf('=')), word.substring(word.indexOf('=') + 1));
        }
        return words;
    }

    /** The one line that was told; no result, no stack trace. */
    String fault(int expected) {
        assertEquals(expected, code, out + err);
        assertEquals("", out);
        assertFalse(err.contains("\tat "), err);
        String[] lines = err.strip().split("\n");
        return lines[lines.length - 1];
    }

    /** A smooth picture with an edge. */
    static Image picture(int width, int height) {
        float[] data = new float[width * height * 3];
        for (int i = 0; i < data.length; i++) {
            int x = i / 3 % width;
            int y = i / 3 / width;
            data[i] = (float) Math.sin(0.3 * x + 0.2 * y + i % 3) * 0.4f + (x > width / 2 ? 0.4f : -0.4f);
        }
        return new Image(width, height, data);
    }

    /** A file of a test's folder as an argument. */
    static String in(Path folder, String name) {
        return folder.resolve(name).toString();
    }
}
