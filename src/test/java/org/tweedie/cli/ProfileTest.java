// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Tests that each program of {@code profile} runs and reports its counts; measured times are not checked. */
class ProfileTest {
    private static final String ALL =
            "text,unet,unet:2,unet-vjp,unet-jvp,decode,decode-vjp,decode-jvp,encode,encode-vjp,encode-jvp,inner-step,restore";

    private static List<JsonObject> lines(String... args) {
        return Cli.succeed(args).out().lines().map(l -> JsonParser.parseString(l).getAsJsonObject()).toList();
    }

    @Test
    void timesEverythingOnRandomWeights() {
        List<JsonObject> lines = lines("profile", "--model", Cli.TINY + ":random", "--height", "4", "--width", "8", "--repeat",
                "1", "--what", ALL,
                "--device", "reference", "--steps", "2", "--inner", "1");
        assertEquals(ALL, String.join(",", lines.stream().map(ProfileTest::item).toList()));
        for (JsonObject l : lines) {
            assertEquals("reference", l.get("device").getAsString());
            if (l.get("what").getAsString().equals("restore")) {
                assertTrue(l.get("seconds").getAsDouble() > 0);
                assertEquals("4", l.get("unet_forwards").getAsString()); // 2 x 1 + 2: docs/stsl.md
            } else {
                assertTrue(l.get("median_s").getAsDouble() > 0, l.toString());
                assertTrue(l.get("gpu_calls").getAsInt() > 0, l.toString());
            }
        }
    }

    private static String item(JsonObject l) {
        int batch = l.get("batch").getAsInt();
        return l.get("what").getAsString() + (batch == 1 ? "" : ":" + batch);
    }

    /** A product of squares of side 128 is 2 x 128^3 operations; an F32 pass over one reads and writes 4 bytes an element. */
    @Test
    void measuresWhatADeviceCanDoAtMost() {
        List<JsonObject> lines = lines("profile", "--model", Cli.TINY, "--height", "4", "--width", "4", "--repeat", "3",
                "--device", "reference",
                "--what", "gemm:128,copy:500");
        JsonObject gemm = lines.getFirst();
        JsonObject copy = lines.getLast();
        assertEquals(2.0 * 128 * 128 * 128, gemm.get("flops_per_s").getAsDouble() * gemm.get("seconds_each").getAsDouble(), 1);
        assertEquals(8.0 * 500 * 500, copy.get("bytes_per_s").getAsDouble() * copy.get("seconds_each").getAsDouble(), 1);
    }

    /**
     * The convolutions, products and attention of the autoencoder at 512 px, as counted by hand from its table of layers;
     * there is no checkpoint on disk.
     */
    @Test
    void countsTheWorkOfStableDiffusion15() {
        Map<String, JsonObject> by = new HashMap<>();
        lines("profile", "--model", "bench/sd15:random", "--height", "64", "--width", "64", "--repeat", "0", "--dtype", "f16",
                "--what", "decode,encode")
                .forEach(l -> by.put(item(l), l));
        assertEquals(2514.5, (libraryAndAttention(by.get("decode"))) / 1e9, 1.0);
        assertEquals(1116.7, (libraryAndAttention(by.get("encode"))) / 1e9, 1.0);
        assertFalse(by.get("decode").has("median_s"));
        assertEquals("none", by.get("decode").get("device").getAsString());
    }

    private static long libraryAndAttention(JsonObject l) {
        return l.get("gpu_library_flops").getAsLong() + l.get("gpu_attention_flops").getAsLong();
    }

    @Test
    void partsAddUpToTheWholeProgram() {
        for (JsonObject l : lines("profile", "--model", Cli.TINY, "--height", "8", "--width", "8", "--repeat", "0", "--what",
                "unet-vjp,decode,inner-step")) {
            assertEquals(l.get("flops").getAsLong(), libraryAndAttention(l) + l.get("gpu_other_flops").getAsLong(), l.toString());
        }
    }

    /** The words that bench/peers/compare reads. */
    @Test
    void withoutWhatItPrintsTheOldLine() {
        Map<String, String> words = Cli.succeed("profile", "--model", Cli.TINY, "--height", "4", "--width", "4", "--repeat", "1",
                "--device", "reference")
                .words();
        assertEquals(List.of("latent", "forward", "forward_vjp", "forward_gflops", "forward_vjp_gflops", "arena_mib",
                "peak_rss_mib"),
                List.copyOf(words.keySet()));
    }

    @Test
    void saysWhatItDoesNotKnow() {
        String tiny = "profile --height 4 --width 4 --model " + Cli.TINY;
        assertTrue(Cli.run((tiny + " --what unte").split(" ")).fault(2).contains("what 'unte': unknown; did you mean 'unet'?; "
                + "known: text, unet"));
        assertTrue(Cli.run((tiny + " --what unet:0").split(" ")).fault(2).contains("--what: expected a number from 1 to 99999 "
                + "after the colon"));
        assertTrue(Cli.run((tiny + " --repeat 0 --what restore").split(" ")).fault(2)
                .contains("there is nothing to count for 'restore'"));
        assertTrue(Cli.run((tiny + " --repeat 0").split(" ")).fault(2).contains("--repeat 0 with --what only"));
    }
}
