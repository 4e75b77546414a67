// SPDX-License-Identifier: Apache-2.0
package org.tweedie.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compares ids with those of transformers' CLIPTokenizer (golden.json of the demo model) and of its Rust pipeline (written
 * out below).
 */
class TokenizerTest {
    private static final Path DEMO = Path.of("weights-tools/demo-model");
    private static final int BEGIN = 647;
    private static final int END = 648;

    @TempDir
    Path folder;

    private static Tokenizer demo() throws IOException {
        return Tokenizer.open(DEMO.resolve("tokenizer"));
    }

    /** Returns the ids between begin and the first end. */
    private static long[] inner(Tokenizer t, String text) {
        long[] ids = t.ids(text);
        int end = 1;
        while (ids[end] != END) {
            end++;
        }
        return Arrays.copyOfRange(ids, 1, end);
    }

    @Test
    void givesTheGoldenIds() throws IOException {
        JsonObject golden = JsonParser.parseString(Files.readString(DEMO.resolve("golden/golden.json"))).getAsJsonObject()
                .getAsJsonObject("tokenizer");
        assertTrue(golden.size() >= 6);
        for (String text : golden.keySet()) {
            JsonArray ids = golden.getAsJsonArray(text);
            long[] expected = new long[ids.size()];
            Arrays.setAll(expected, i -> ids.get(i).getAsLong());
            assertArrayEquals(expected, demo().ids(text), text);
        }
    }

    @Test
    void cleansTextAsClipDoes() throws IOException {
        Tokenizer t = demo();
        assertArrayEquals(t.ids("caf\u00e9 x"), t.ids("\n cafe\u0301\u00a0\u3000X\t"));
        assertArrayEquals(t.ids("\u03c3\u03b1\u03c3 x"), t.ids("\u03a3\u0391\u03a3 x"));     // no final sigma
        assertArrayEquals(t.ids("i\u0307"), t.ids("\u0130"));
        assertArrayEquals(t.ids("they 've 1 9 ..."), t.ids("THEY'VE 19..."));
        assertArrayEquals(t.ids("_ _ a"), t.ids("_ _a"));
    }

    @Test
    void specialTokensInThePromptAreOneId() throws IOException {
        Tokenizer t = demo();
        long[] ids = t.ids("a<|startoftext|>a<|EndOfText|>a");
        assertArrayEquals(new long[] {BEGIN, 320, BEGIN, 320, END, 320, END}, Arrays.copyOf(ids, 7));
    }

    @Test
    void cutsLongTextAndKeepsTheEnd() throws IOException {
        Tokenizer t = demo();
        assertEquals(77, t.length());
        long[] full = t.ids("a ".repeat(75));
        assertEquals(77, t.count("a ".repeat(75)));
        assertArrayEquals(full, t.ids("a ".repeat(500)));
        assertEquals(502, t.count("a ".repeat(500)));
        assertEquals(END, full[76]);
        assertEquals(320, full[75]);
    }

    /** SD 2.x pads with "!", whose id is 0, and the file that says so contradicts tokenizer_config.json. */
    @Test
    void padsAsTheSpecialTokensMapSays() throws IOException {
        copyDemo();
        Files.writeString(folder.resolve("special_tokens_map.json"), "{\"pad_token\":\"!\"}");
        long[] ids = Tokenizer.open(folder).ids("a!");
        assertArrayEquals(new long[] {BEGIN, 320, 0, END, 0}, Arrays.copyOf(ids, 5));
        assertEquals(0, ids[76]);
        Files.delete(folder.resolve("special_tokens_map.json"));
        assertEquals(END, Tokenizer.open(folder).ids("a!")[76]);
    }

    @Test
    void refusesHalfSurrogates() throws IOException {
        Tokenizer t = demo();
        assertThrows(IllegalArgumentException.class, () -> t.ids("a\ud800"));
        assertTrue(inner(t, "\ud83d\ude00").length > 0);
    }

    @Test
    void namesTheBrokenFile() throws IOException {
        copyDemo();
        Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\nl o\nx y z\n");
        fails("tokenizer/merges.txt: line 3: ", "'x y z'");
        Files.delete(folder.resolve("merges.txt"));
        fails("tokenizer/merges.txt: no such file");
        Files.writeString(folder.resolve("vocab.json"), "{\"a\":1}");
        fails("tokenizer/vocab.json: 'a' expected an id from 0 to 0, got 1");
        Files.delete(folder.resolve("vocab.json"));
        fails("tokenizer/vocab.json: no such file");
    }

    @Test
    void refusesTokensAndLengthsItCannotUse() throws IOException {
        copyDemo();
        Files.writeString(folder.resolve("special_tokens_map.json"), "{\"bos_token\":{\"content\":\"<go>\"}}");
        fails("bos_token '<go>' is not in vocab.json");
        Files.writeString(folder.resolve("special_tokens_map.json"), "{\"bos_token\":[1]}");
        fails("tokenizer/special_tokens_map.json: 'bos_token' expected a text");
        Files.writeString(folder.resolve("special_tokens_map.json"), "{}");
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"model_max_length\":1}");
        fails("'model_max_length' expected 2 to 65536, got 1");
    }

    private void fails(String... parts) {
        Exception e = assertThrows(Exception.class, () -> Tokenizer.open(folder));
        assertTrue(e instanceof IOException || e instanceof IllegalArgumentException, e.toString());
        for (String part : parts) {
            assertTrue(e.getMessage().contains(part), e.getMessage());
        }
    }

    private void copyDemo() throws IOException {
        for (String name : new String[] {"vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"}) {
            Files.copy(DEMO.resolve("tokenizer").resolve(name), folder.resolve(name));
        }
    }
}
