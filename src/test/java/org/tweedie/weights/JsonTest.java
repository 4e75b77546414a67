// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    private static Json json(String text) throws IOException {
        return Json.parse(text.getBytes(StandardCharsets.UTF_8), "unet/config.json");
    }

    private static void bad(Executable what, String message) {
        assertEquals("unet/config.json: " + message, assertThrows(IllegalArgumentException.class, what).getMessage());
    }

    @Test
    void readsValuesOfEachType() throws IOException {
        Json j = json("{\"s\":\"silu\",\"b\":true,\"i\":-8,\"d\":1e-05,\"is\":[1,2],"
                + "\"ds\":[1,0.5],\"ss\":[\"a\"],\"none\":null}");
        assertEquals("silu", j.text("s"));
        assertTrue(j.flag("b"));
        assertEquals(-8, j.integer("i"));
        assertEquals(1e-5, j.number("d"));
        assertEquals(-8, j.number("i"));
        assertEquals(List.of(1, 2), j.integers("is"));
        assertEquals(List.of(1, 2), j.integers("is", 2));
        assertEquals(List.of(-8, -8, -8), j.integers("i", 3));
        assertArrayEquals(new double[] {1, 0.5}, j.numbers("ds"));
        assertEquals(List.of("a"), j.texts("ss"));
        assertFalse(j.has("none"));
    }

    @Test
    void absentAndNullTakeThePassedDefault() throws IOException {
        Json j = json("{\"none\":null}");
        for (String key : List.of("none", "absent")) {
            assertEquals("x", j.text(key, "x"));
            assertEquals(7, j.integer(key, 7));
            assertEquals(0.5, j.number(key, 0.5));
            assertTrue(j.flag(key, true));
        }
        bad(() -> j.integer("absent"),
                "'absent' is missing, expected a whole number; the file may belong to another kind of model");
        bad(() -> j.integer("none"), "'none' expected a whole number, got 'null'; correct the file");
    }

    @Test
    void wrongTypesTeach() throws IOException {
        Json j = json("{\"channels\":[1,\"2\"],\"n\":1.5,\"big\":3000000000,\"inf\":1e999,\"s\":\"8\",\"o\":{}}");
        bad(() -> j.integers("channels"), "'channels' expected a list of whole numbers, got '[1,\"2\"]'; correct the file");
        bad(() -> j.integer("n"), "'n' expected a whole number, got '1.5'; correct the file");
        bad(() -> j.integer("big", 1), "'big' expected a whole number, got '3000000000'; correct the file");
        bad(() -> j.number("inf"), "'inf' expected a finite number, got '1E+999'; correct the file");
        bad(() -> j.integer("s"), "'s' expected a whole number, got '\"8\"'; correct the file");
        bad(() -> j.text("n"), "'n' expected a text, got '1.5'; correct the file");
        bad(() -> j.flag("s"), "'s' expected true or false, got '\"8\"'; correct the file");
        bad(() -> j.texts("o"), "'o' expected a list of texts, got '{}'; correct the file");
        bad(() -> j.integers("channels", 4),
                "'channels' expected a whole number or a list of 4 whole numbers, got '[1,\"2\"]'; correct the file");
    }

    @Test
    void onlyTheSupportedValuePasses() throws IOException {
        Json j = json("{\"act\":\"silu\",\"n\":1.0,\"flag\":false,\"none\":null,\"list\":[\"silu\"]}");
        j.only("act", "silu");
        j.only("n", 1);
        j.only("flag", false);
        j.only("none", 3);
        j.only("absent", 3);
        bad(() -> j.only("act", "gelu"),
                "'act' expected gelu (nothing else is supported), got '\"silu\"'; use another checkpoint");
        bad(() -> j.only("list", "silu"),
                "'list' expected silu (nothing else is supported), got '[\"silu\"]'; use another checkpoint");
        bad(() -> j.only("flag", 0), "'flag' expected 0 (nothing else is supported), got 'false'; use another checkpoint");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "3", "{", "{\"a\":1,}", "{\"a\":1} x", "{\"a\":1,\"a\":2}",
        "{\"a\":NaN}", "{'a':1}", "{\"a\":1e99999999999}"})
    void brokenFilesAreOneLine(String text) {
        String message = assertThrows(CheckpointException.class, () -> json(text)).getMessage();
        assertTrue(message.startsWith("unet/config.json: "), message);
        assertEquals(1, message.lines().count(), message);
    }

    @Test
    void depthIsBounded() {
        assertThrows(CheckpointException.class, () -> json("{\"a\":" + "[".repeat(100_000)));
        assertThrows(CheckpointException.class, () -> Json.parse(new byte[] {'{', '"', (byte) 0xFF}, "x"));
    }
}
